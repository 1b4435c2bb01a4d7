/** The state of collecting a platform's own figures, by kind. */
import { useAction } from '../../api/action.ts';
import { api, type Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { ErrorNote } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { ago, days, duration, number, unknown } from '../../format/format.ts';
import { type PlatformName, platformTitle } from '../../format/platforms.ts';
import { may } from '../../state/session.ts';
import { collectedKinds, collectedStates, t } from '../../texts/health.ts';
import type { Collector } from './health.ts';

type CollectedKind = Schema['CollectedKind'];

const healthyStates: readonly string[] = ['new', 'resting', 'unavailable'];
const waitingStates: readonly string[] = ['out-of-calls', 'limited'];

type CollectorProps = {
  path: { botId: string };
  collector: Collector;
  /** Of a Meta channel; left out: LINE. */
  platform?: PlatformName;
  onChanged(): void;
};

export function CollectorCard({ path, collector, platform, onChanged }: CollectorProps) {
  const action = useAction(async () => {
    await api.POST('/api/v1/bots/{botId}/collect', { params: { path } });
    showToast(t('fetching'));
    onChanged();
  });
  const { problem, kinds } = collector;
  const isFailing = collector.state === 'collecting' && kinds.some(fails);
  const state = isFailing ? 'failing' : collector.state;
  const now = Date.now();
  return (
    <Card
      title={platform ? t('metaCollector', { platform: platformTitle(platform) }) : t('collector')}
      note={t(platform ? 'metaCollectorNote' : 'collectorNote')}
      actions={
        <>
          <span class={`tag ${stateTags[state]}`}>{t(`collector-${state}`)}</span>
          {may('write') && collector.state === 'collecting' && (
            <button
              type="button"
              class="button"
              aria-label={t('fetchNowOf', { platform: platformTitle(platform ?? 'line') })}
              disabled={action.isBusy}
              onClick={() => void action.run()}
            >
              {t('fetchNow')}
            </button>
          )}
        </>
      }
    >
      {action.error && <ErrorNote error={action.error} />}
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

/** True if LINE does not answer or its answer is unreadable. */
function fails({ state, failing }: CollectedKind): boolean {
  return failing > 0 || !(healthyStates.includes(state) || waitingStates.includes(state));
}

function State({ of: { state, problem, failing, failingProblem } }: { of: CollectedKind }) {
  const knownState = collectedStates.find((one) => one === state);
  const reason = problem ?? failingProblem;
  return (
    <>
      <span class={`tag ${healthyStates.includes(state) ? '' : 'tag-warn'}`}>
        {knownState ? t(`kind-${knownState}`) : state}
      </span>
      {failing > 0 && <span class="note detail">{t('failing', { count: failing })}</span>}
      {reason !== null && <span class="note detail">{reason}</span>}
    </>
  );
}

function Left({ of: { daysLeft, secondsLeft } }: { of: CollectedKind }) {
  return (
    <>
      {number(daysLeft)}
      {secondsLeft !== null && secondsLeft > 0 && (
        <span class="note detail">{t('atLeast', { duration: duration(secondsLeft) })}</span>
      )}
    </>
  );
}

function kindName(kind: string): string {
  const knownKind = collectedKinds.find((one) => one === kind);
  return knownKind ? t(`collects-${knownKind}`) : kind;
}

function nextOf(nextAt: string | null, now: number): string {
  if (nextAt === null) return unknown;
  return Date.parse(nextAt) <= now ? t('soon') : ago(nextAt, now);
}
