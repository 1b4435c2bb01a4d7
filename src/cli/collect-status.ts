/**
 * The status of the collector as text.
 */
import type { components } from '../../contracts/types/management.ts';
import { renderTime } from './progress.ts';
import { renderTable } from './table.ts';

type KindStatus = Omit<components['schemas']['CollectedKind'], 'answeredAt' | 'nextAt'> & {
  answeredAt: Date | null;
  nextAt: Date | null;
};
/** `botId`: also the platform, unless it is LINE. */
type CollectStatus = { botId: string; state: string; problem: string | null; kinds: readonly KindStatus[] };

/** A table of the kinds, with their problems below. */
export function renderStatus({ botId, state, problem, kinds }: CollectStatus, now: number): string {
  const isCollecting = state === 'collecting';
  const head = ['kind', 'state', 'last answer', 'next', 'days collected', 'days left'];
  const table = renderTable([head, ...kinds.map((kind) => cellsOf(kind, { now, isCollecting }))]);
  const problems = isCollecting ? kinds.flatMap(problemsOf) : [];
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
  const failed =
    failing > 0 ? `requests to retry: ${failing}, for example ${failingSubject}: ${failingProblem}` : null;
  return [...new Set([problem, failed])].flatMap((text) => (text === null ? [] : `${kind}: ${text}`));
}
