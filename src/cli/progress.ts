/**
 * The progress of a long command: a bar on a terminal, otherwise a line every 5 s. It goes to stderr.
 */
import type { SingleBar } from 'cli-progress';
import { hourMs, minuteMs, secondMs } from '../time.ts';
import type { CommandContext } from './context.ts';

/** Shows the progress. `secondsLeft` replaces the estimate from the pace. Cheap enough to call for every batch. */
export type Progress = (done: number, all: number, secondsLeft?: number) => void;

type Stream = NodeJS.WritableStream & { isTTY?: boolean };
type Reports = Pick<CommandContext, 'clock' | 'log'>;

const lineEveryMs = 5 * secondMs;

/** Runs with progress that is counted in `unit` (`lines`, `contacts`). */
export async function withProgress<T>(
  context: Reports,
  unit: string,
  run: (progress: Progress) => Promise<T>,
  stream: Stream = process.stderr,
): Promise<T> {
  if (stream.isTTY !== true) return run(lines(context, unit));
  const { Presets, SingleBar } = await import('cli-progress');
  let bar: SingleBar | undefined;
  const draw: Progress = (done, all, secondsLeft) => {
    const left = secondsLeft === undefined ? {} : { left: renderTime(secondsLeft) };
    if (!bar) {
      const leftFormat = secondsLeft === undefined ? '{eta_formatted}' : '{left}';
      const format = `{bar} {percentage} %  {value} of {total} ${unit}, ${leftFormat} left`;
      bar = new SingleBar(
        { format, stream, hideCursor: true, clearOnComplete: true },
        Presets.shades_classic,
      );
      bar.start(all, done, left);
    }
    bar.setTotal(all);
    bar.update(done, left);
  };
  try {
    return await run(draw);
  } finally {
    bar?.stop();
  }
}

function lines({ clock, log }: Reports, unit: string): Progress {
  let loggedAt = clock();
  return (done, all, secondsLeft) => {
    if (clock() - loggedAt < lineEveryMs) return;
    loggedAt = clock();
    const left = secondsLeft === undefined ? '' : `, ${renderTime(secondsLeft)} left`;
    log(`${done} of ${all} ${unit}${left}`);
  };
}

/** Bytes in millions, to one decimal place. */
export function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}

/** A rounded duration: `45 s`, `12 min`, `3 h 12 min`. */
export function renderTime(seconds: number): string {
  const minutes = Math.ceil((seconds * secondMs) / minuteMs);
  const hours = Math.floor((minutes * minuteMs) / hourMs);
  if (seconds < 60) return `${seconds} s`;
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes - hours * 60} min`;
}
