/**
 * The progress of a long command: a bar on a terminal, otherwise a line every 5 s. It goes to stderr.
 */
import { Presets, SingleBar } from 'cli-progress';
import { hourMs, minuteMs, secondMs } from '../time.ts';
import type { CommandContext } from './context.ts';

export type Progress = {
  /** `secondsLeft` replaces the estimate from the pace. Cheap enough to call for every batch. */
  update(done: number, all: number, secondsLeft?: number): void;
  /** Removes the bar. Must be called, or the process does not end. */
  stop(): void;
};

type Stream = NodeJS.WritableStream & { isTTY?: boolean };

const lineEveryMs = 5 * secondMs;

/** Runs with progress that is counted in `unit` (`lines`, `contacts`). */
export async function withProgress<T>(
  context: Pick<CommandContext, 'clock' | 'log'>,
  unit: string,
  run: (update: Progress['update']) => Promise<T>,
): Promise<T> {
  const progress = showProgress(context, unit);
  try {
    return await run(progress.update);
  } finally {
    progress.stop();
  }
}

/** Shows progress until `stop`. */
export function showProgress(
  context: Pick<CommandContext, 'clock' | 'log'>,
  unit: string,
  stream: Stream = process.stderr,
): Progress {
  return stream.isTTY === true ? bar(unit, stream) : lines(context, unit);
}

function bar(unit: string, stream: Stream): Progress {
  let shown: SingleBar | undefined;
  return {
    update(done, all, secondsLeft) {
      const left = secondsLeft === undefined ? {} : { left: renderTime(secondsLeft) };
      if (!shown) {
        const leftFormat = secondsLeft === undefined ? '{eta_formatted}' : '{left}';
        const format = `{bar} {percentage} %  {value} of {total} ${unit}, ${leftFormat} left`;
        shown = new SingleBar(
          { format, stream, hideCursor: true, clearOnComplete: true },
          Presets.shades_classic,
        );
        shown.start(all, done, left);
      }
      shown.setTotal(all);
      shown.update(done, left);
    },
    stop() {
      shown?.stop();
    },
  };
}

function lines({ clock, log }: Pick<CommandContext, 'clock' | 'log'>, unit: string): Progress {
  let loggedAt = clock();
  return {
    update(done, all, secondsLeft) {
      if (clock() - loggedAt < lineEveryMs) return;
      loggedAt = clock();
      const left = secondsLeft === undefined ? '' : `, ${renderTime(secondsLeft)} left`;
      log(`${done} of ${all} ${unit}${left}`);
    },
    stop() {},
  };
}

/** A rounded duration: `45 s`, `12 min`, `3 h 12 min`. */
export function renderTime(seconds: number): string {
  const minutes = Math.ceil((seconds * secondMs) / minuteMs);
  const hours = Math.floor((minutes * minuteMs) / hourMs);
  if (seconds < 60) return `${seconds} s`;
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes - hours * 60} min`;
}
