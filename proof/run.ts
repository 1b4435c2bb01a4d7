/**
 * `npm run proof`: puts Shoal under load, kills and disturbs it, and checks that nothing is lost or counted twice. It writes each run
 * to proof/results. Progress goes to stderr. See proof/README.md.
 */
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { machine } from '../bench/report.ts';
import type { Part } from './part.ts';
import { parts } from './parts.ts';
import { interruption, type PartRecord, release, toMarkdown, writeRecord } from './record.ts';
import { runPart } from './run-part.ts';

type Options = { only: Part[]; seconds?: number; seed: number; quick: boolean; out: string };

const seedMax = 2 ** 31;
const secondsMax = 2 * 60 * 60;

const program = new Command('npm run proof --')
  .description(
    `Prove on this machine that Shoal loses nothing and counts nothing twice.\n\n${parts
      .map(({ name, summary }) => `${name}: ${summary}`)
      .join('\n')}`,
  )
  .option('--only <parts>', `some of ${parts.map(({ name }) => name).join(', ')}`, parseParts, [...parts])
  .option('--seconds <number>', 'seconds of load of each part', wholeNumber(secondsMax))
  .option('--seed <number>', 'the seed of all choices', wholeNumber(seedMax), randomInt(1, seedMax))
  .option('--quick', 'a short form of each part', false)
  .option('--out <folder>', 'where the record goes', fileURLToPath(new URL('results', import.meta.url)));
const { only, seconds, seed, quick, out } = program.parse().opts<Options>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error(interruption)));
}
const startedAt = new Date();
const command = ['npm run proof', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)];
const records: PartRecord[] = [];
for (const part of only) {
  if (interrupted.signal.aborted) break;
  say(`${part.name}: seed ${seed}`);
  const length = seconds ?? (quick ? part.seconds.quick : part.seconds.full);
  records.push(
    await runPart(part, { seed, seconds: length, isQuick: quick, signal: interrupted.signal, say }),
  );
}
const record = {
  release: release(),
  startedAt: startedAt.toISOString(),
  command: command.join(' '),
  seed,
  isQuick: quick,
  machine: machine(),
  parts: records,
};
await writeRecord(out, record);
process.stdout.write(toMarkdown(record));
// An interrupted part can leave a call open.
process.exit(records.some(({ failure }) => failure !== null) ? 1 : 0);

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

function parseParts(text: string): Part[] {
  return text.split(',').map((name) => {
    const part = parts.find((one) => one.name === name);
    if (part === undefined) throw new InvalidArgumentError(`there is no ${name}`);
    return part;
  });
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > max) {
      throw new InvalidArgumentError(`a whole number from 1 to ${max}`);
    }
    return number;
  };
}
