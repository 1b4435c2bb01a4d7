/** The columns of the list of sends. */
import { dayOf } from '../../../src/time.ts';
import { Barred } from '../../components/bar-list.tsx';
import type { Column } from '../../components/data-table.tsx';
import { dateTime, day, number, percent, unknown } from '../../format/format.ts';
import { kindTitle } from '../../format/line-kinds.ts';
import { t } from '../../texts/sends.ts';
import { countedUntil, type Reason, reasonOf, type Send } from './send.ts';

/** `now` in ms; times in the zone. */
export function columnsOf(zone: string, now: number): Column<Send>[] {
  return [
    {
      key: 'sentAt',
      title: t('sentAt'),
      cell: (send) => (
        <>
          <span class="nowrap">{dateTime(send.sentAt, zone)}</span>
          <Progress send={send} zone={zone} now={now} />
        </>
      ),
      sortBy: ({ sentAt }) => sentAt,
    },
    {
      key: 'kind',
      title: t('kind'),
      cell: ({ kind, unit }) => (
        <>
          <span class="nowrap">{kindTitle(kind)}</span>
          {unit !== null && <span class="below">{t('unit', { unit })}</span>}
        </>
      ),
      sortBy: ({ kind }) => kindTitle(kind),
    },
    {
      key: 'recipients',
      title: t('recipients'),
      isNumber: true,
      cell: ({ recipients }) => <Count count={recipients} reason="noRecipients" />,
      sortBy: ({ recipients }) => recipients,
    },
    {
      key: 'delivered',
      title: t('delivered'),
      isNumber: true,
      cell: (send) => <Count count={send.delivered} reason={deliveredReasonOf(send)} />,
      sortBy: ({ delivered }) => delivered,
    },
    {
      key: 'opened',
      title: t('opened'),
      isNumber: true,
      cell: (send) => <People count={send.opened} send={send} />,
      sortBy: ({ opened }) => opened,
    },
    {
      key: 'clicked',
      title: t('clicked'),
      isNumber: true,
      cell: (send) => <People count={send.clicked} send={send} />,
      sortBy: ({ clicked }) => clicked,
    },
    {
      key: 'ownClicks',
      title: t('ownClicks'),
      isNumber: true,
      cell: ({ ownClicks, ownClickers }) => (
        <>
          <Count count={ownClicks} reason="noLinks" />
          {ownClickers !== null && <span class="below">{t('people', { count: ownClickers })}</span>}
        </>
      ),
      sortBy: ({ ownClicks }) => ownClicks,
    },
  ];
}

/** Shows until when LINE counts. */
function Progress({ send, zone, now }: { send: Send; zone: string; now: number }) {
  if (send.toldAt === null) return null;
  const until = countedUntil(send);
  if (Date.parse(until) <= now) return null;
  return <span class="below">{t('counting', { until: day(dayOf(Date.parse(until), zone)) })}</span>;
}

type CountProps = { count: number | null; reason: Reason | 'noRecipients' | 'noLinks' | 'notReported' };

function Count({ count, reason }: CountProps) {
  if (count !== null) return <>{number(count)}</>;
  return (
    <>
      {unknown}
      <span class="below">{t(reason)}</span>
    </>
  );
}

/** A number of people with their share of the delivered messages. */
function People({ count, send }: { count: number | null; send: Send }) {
  const { delivered } = send;
  if (count === null || delivered === null || delivered === 0) {
    return <Count count={count} reason={reasonOf(send)} />;
  }
  const share = count / delivered;
  return (
    <>
      {number(count)}
      <span class="below">
        <Barred share={share}>{percent(share)}</Barred>
      </span>
    </>
  );
}

// LINE reports delivered messages even below its minimum of people.
function deliveredReasonOf(send: Send): Reason | 'notReported' {
  const reason = reasonOf(send);
  return reason === 'tooFew' ? 'notReported' : reason;
}
