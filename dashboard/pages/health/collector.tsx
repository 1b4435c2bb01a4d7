/** How the collecting of LINE's own figures stands, kind by kind. */
import type { Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { ago, days, duration, number, unknown } from '../../format/format.ts';
import { collectedKinds, collectedStates, t } from '../../texts/health.ts';
import type { Collector } from './health.ts';

type CollectedKind = Schema['CollectedKind'];

const sound: readonly string[] = ['new', 'resting', 'unavailable'];
const waiting: readonly string[] = ['out-of-calls', 'limited'];

export function CollectorCard({ collector }: { collector: Collector }) {
  const { problem, kinds } = collector;
  const isFailing = collector.state === 'collecting' && kinds.some(fails);
  const state = isFailing ? 'failing' : collector.state;
  const now = Date.now();
  return (
    <Card
      title={t('collector')}
      note={t('collectorNote')}
      actions={<span class={`tag ${stateTags[state]}`}>{t(`collector-${state}`)}</span>}
    >
      {problem !== null && <p class="notice">{problem}</p>}
      <DataTable
        caption={t('collector')}
        rows={kinds}
        keyOf={({ kind }) => kind}
        columns={[
          { key: 'kind', title: t('kind'), cell: ({ kind }) => kindName(kind) },
          {
            key: 'state',
            title: t('state'),
            cell: (kind) => <State of={kind} />,
          },
          {
            key: 'days',
            title: t('daysAsked'),
            cell: ({ earliestDay, latestDay }) =>
              earliestDay === null || latestDay === null ? unknown : days(earliestDay, latestDay),
          },
          { key: 'left', title: t('daysLeft'), isNumber: true, cell: (kind) => <Left of={kind} /> },
          { key: 'answered', title: t('answered'), cell: ({ answeredAt }) => ago(answeredAt, now) },
          { key: 'next', title: t('next'), cell: ({ nextAt }) => nextOf(nextAt, now) },
        ]}
      />
    </Card>
  );
}

const stateTags = {
  collecting: 'tag-good',
  failing: 'tag-bad',
  stopped: 'tag-bad',
  off: 'tag-warn',
};

/** LINE cannot be asked, or what it answers cannot be read. */
function fails({ state, failing }: CollectedKind): boolean {
  return failing > 0 || !(sound.includes(state) || waiting.includes(state));
}

function State({ of: { state, problem, failing, failingProblem } }: { of: CollectedKind }) {
  const known = collectedStates.find((one) => one === state);
  const told = problem ?? failingProblem;
  return (
    <>
      <span class={`tag ${sound.includes(state) ? '' : 'tag-warn'}`}>
        {known ? t(`kind-${known}`) : state}
      </span>
      {failing > 0 && <span class="note told">{t('failing', { count: failing })}</span>}
      {told !== null && <span class="note told">{told}</span>}
    </>
  );
}

function Left({ of: { daysLeft, secondsLeft } }: { of: CollectedKind }) {
  return (
    <>
      {number(daysLeft)}
      {secondsLeft !== null && secondsLeft > 0 && (
        <span class="note told">{t('atLeast', { duration: duration(secondsLeft) })}</span>
      )}
    </>
  );
}

function kindName(kind: string): string {
  const known = collectedKinds.find((one) => one === kind);
  return known ? t(`collects-${known}`) : kind;
}

function nextOf(nextAt: string | null, now: number): string {
  if (nextAt === null) return unknown;
  return Date.parse(nextAt) <= now ? t('soon') : ago(nextAt, now);
}
