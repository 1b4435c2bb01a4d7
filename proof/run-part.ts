/**
 * Runs one part: collects its counts, cleans up after it, and turns a failure into a record.
 */
import { type Count, Failure, type Measure, type Part, type Proving, type Unavailable } from './part.ts';
import type { PartRecord } from './record.ts';

type Options = Pick<Proving, 'seed' | 'seconds' | 'isQuick' | 'say'> & { signal: AbortSignal };

/** Runs the part and everything that it registered for its end. Never throws: a failure is in the record. */
export async function runPart(part: Part, options: Options): Promise<PartRecord> {
  const { seed, seconds, isQuick, signal, say } = options;
  const counts: Count[] = [];
  const measures: Measure[] = [];
  const unavailable: Unavailable[] = [];
  const closers: (() => unknown)[] = [];
  const lastClosers: (() => unknown)[] = [];
  const descriptions: [string, () => unknown][] = [];
  const startedAt = performance.now();
  const proving: Proving = {
    ...{ seed, seconds, isQuick, say },
    isOver: () => performance.now() - startedAt > seconds * 1_000,
    ends: { after: (run) => void closers.push(run as () => unknown) },
    atLast: (run) => void lastClosers.push(run),
    onFailure: (name, describe) => void descriptions.push([name, describe]),
    count(row, column, by = 1) {
      const counted = counts.find((one) => one.row === row && one.column === column);
      if (counted) counted.count += by;
      else counts.push({ row, column, count: by });
    },
    measure(measure) {
      measures.push(measure);
      const { what, value, unit, most = Number.POSITIVE_INFINITY } = measure;
      if (!(value <= most)) throw new Failure(`${what}: ${value} ${unit}, at most ${most} ${unit}`);
    },
    notAvailable(what, why) {
      if (!unavailable.some((one) => one.what === what)) unavailable.push({ what, why });
    },
  };
  const interrupted = new Promise<never>((_resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  let failure: PartRecord['failure'] = null;
  try {
    await Promise.race([part.run(proving), interrupted]);
  } catch (error) {
    const input = error instanceof Failure ? error.input : null;
    const what = error instanceof Error ? error.message : String(error);
    const state = Object.fromEntries(descriptions.map(([name, describe]) => [name, describe()]));
    failure = { what, seed, input, state };
    const trace = error instanceof Failure || !(error instanceof Error) ? what : error.stack;
    say(
      `${part.name} FAILED with seed ${seed}: ${trace}\nminimal input: ${toText(input)}\nstate: ${toText(state)}`,
    );
  }
  for (const close of [...closers, ...lastClosers]) await close();
  const tookSeconds = Math.round((performance.now() - startedAt) / 1_000);
  return { name: part.name, seconds: tookSeconds, counts, measures, unavailable, failure };
}

function toText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
