/**
 * How far a long command is: a bar where stderr is a terminal, else a line now and then. Nothing of it goes to stdout.
 */
import { Presets, SingleBar } from 'cli-progress';
import { hourMs, minuteMs, secondMs } from '../time.ts';
import type { CommandContext } from './context.ts';

export type Progress = {
  /**
   * So much is done, of how much; and how long the rest takes, where that is known better than from the pace. Cheap enough to
   * be told of every batch.
   */
  update(done: number, all: number, secondsLeft?: number): void;
  /** Takes the bar away. Always to be called, else the process does not end. */
  stop(): void;
};

type Out = NodeJS.WritableStream & { isTTY?: boolean };

const lineEveryMs = 5 * secondMs;

/** Shows the progress of one run, counted in `unit` (`lines`, `contacts`). */
export function showProgress(
  context: Pick<CommandContext, 'clock' | 'log'>,
  unit: string,
  stream: Out = process.stderr,
): Progress {
  return stream.isTTY === true ? bar(unit, stream) : lines(context, unit);
}

function bar(unit: string, stream: Out): Progress {
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
  let toldAt = clock();
  return {
    update(done, all, secondsLeft) {
      if (clock() - toldAt < lineEveryMs) return;
      toldAt = clock();
      const left = secondsLeft === undefined ? '' : `, ${renderTime(secondsLeft)} left`;
      log(`${done} of ${all} ${unit}${left}`);
    },
    stop() {},
  };
}

/** A span of time, roughly: `45 s`, `12 min`, `3 h 12 min`. */
export function renderTime(seconds: number): string {
  const minutes = Math.ceil((seconds * secondMs) / minuteMs);
  const hours = Math.floor((minutes * minuteMs) / hourMs);
  if (seconds < 60) return `${seconds} s`;
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes - hours * 60} min`;
}
