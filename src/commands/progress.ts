/**
 * How far a long command is: a bar where stderr is a terminal, else a line now and then. Nothing of it goes to stdout.
 */
import { Presets, SingleBar } from 'cli-progress';
import { secondMs } from '../time.ts';
import type { CommandContext } from './context.ts';

export type Progress = {
  /** So much is done, of how much. Cheap enough to be told of every batch. */
  update(done: number, all: number): void;
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
  const format = `{bar} {percentage} %  {value} of {total} ${unit}, {eta_formatted} left`;
  const shown = new SingleBar(
    { format, stream, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, all) {
      if (!started) shown.start(all, done);
      started = true;
      shown.setTotal(all);
      shown.update(done);
    },
    stop() {
      if (started) shown.stop();
    },
  };
}

function lines({ clock, log }: Pick<CommandContext, 'clock' | 'log'>, unit: string): Progress {
  let toldAt = clock();
  return {
    update(done, all) {
      if (clock() - toldAt < lineEveryMs) return;
      toldAt = clock();
      log(`${done} of ${all} ${unit}`);
    },
    stop() {},
  };
}
