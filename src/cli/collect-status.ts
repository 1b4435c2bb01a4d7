/**
 * The status of collecting as text.
 */
import type { CollectStatus, KindStatus } from '../line/collector/status.ts';
import { renderTime } from './progress.ts';

/** A table of the kinds, what is wrong below it. */
export function renderStatus({ botId, state, problem, kinds }: CollectStatus, now: number): string {
  const head = ['kind', 'state', 'last answer', 'next', 'days collected', 'days left'];
  const rows = [head, ...kinds.map((kind) => cellsOf(kind, { now, isCollecting: state === 'collecting' }))];
  const widths = head.map((_, place) => Math.max(...rows.map((cells) => cells[place]?.length ?? 0)));
  const table = rows.map((cells) =>
    cells
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const problems = state === 'collecting' ? kinds.flatMap(problemsOf) : [];
  return [`${botId}: ${state}${problem === null ? '' : `. ${problem}`}`, ...table, ...problems].join('\n');
}

function cellsOf(kind: KindStatus, { now, isCollecting }: { now: number; isCollecting: boolean }): string[] {
  const { answeredAt, nextAt, earliestDay, latestDay, daysLeft, secondsLeft } = kind;
  return [
    kind.kind,
    kind.state,
    answeredAt?.toISOString() ?? 'never',
    isCollecting ? (nextAt === null || nextAt.getTime() <= now ? 'now' : nextAt.toISOString()) : '–',
    earliestDay === null ? '' : `${earliestDay} … ${latestDay}`,
    daysLeft === null ? '' : daysLeft === 0 ? '0' : `${daysLeft}, ${renderTime(secondsLeft ?? 0)}`,
  ];
}

function problemsOf({ kind, problem, failing, failingSubject, failingProblem }: KindStatus): string[] {
  const one = failing > 0 ? `${failing} to be asked again, as ${failingSubject}: ${failingProblem}` : null;
  return [...new Set([problem, one])].flatMap((text) => (text === null ? [] : `${kind}: ${text}`));
}
