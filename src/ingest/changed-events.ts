/**
 * Stored events that reports of a batch change. Rare: a WhatsApp status that is older than those before it, or a report that names the
 * person. LINE's redeliveries change nothing.
 */
import type { Transaction } from '../database/client.ts';
import { changedBotOf, rowTable } from '../database/row-table.ts';
import { combine, isChangedBy } from '../events/reports.ts';
import { type EventRecord, eventColumns, type IncomingEvent, type StoredEvent } from '../events/store.ts';
import type { ByPlatform } from '../platforms/by-platform.ts';
import type { EventChange } from '../rollups/followers.ts';
import { type People, type PersonEvent, selectPeople } from './people.ts';

/** A report, and the stored event that it changes. */
type ChangingReport = { report: IncomingEvent; stored: StoredEvent };

/** The reports that change a stored event. */
export function changingReports(
  reports: readonly IncomingEvent[],
  storedEvents: ByPlatform<StoredEvent>,
): ChangingReport[] {
  return reports.flatMap((report) => {
    const stored = storedEvents.get(report.platform, report.key);
    return stored && isChangedBy(stored, report) ? [{ report, stored }] : [];
  });
}

/** Looks up the contacts of the stored events. Usually the batch names them itself. */
export async function addOwners(
  tx: Transaction,
  people: People,
  changing: readonly ChangingReport[],
): Promise<void> {
  const owners = changing.flatMap(({ report: { botId, platform }, stored: { contact } }) =>
    contact === null || people.find(platform, contact)
      ? []
      : [{ botId, platform, platformContactId: contact }],
  );
  people.add(
    await selectPeople(
      tx,
      owners.map((id) => ({ ...id, span: null, gapMs: 0 })),
    ),
  );
}

/** The stored event before and after the report. */
export function toEventChange({ report, stored }: ChangingReport, people: People): EventChange<PersonEvent> {
  const { botId, platform, key } = report;
  const [before, after] = [stored, combine(stored, report)].map(({ kind, detail, contact, happenedAt }) => ({
    ...{ botId, platform, key, kind, detail, happenedAt },
    ...people.personOf(platform, contact),
  })) as [PersonEvent, PersonEvent];
  return { before, after };
}

/** Writes stored events that further reports have changed. Idempotent. */
export async function rewriteEvents(sql: Transaction, events: readonly EventRecord[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    update events set kind = new.kind, detail = new.detail, contact_id = new.contact_id, named_as = new.named_as,
      happened_at = new.happened_at
    from ${rowTable(sql, 'new', events, eventColumns)}
    where events.bot_id = ${changedBotOf(sql, 'new', events)} and events.platform = new.platform and events.key = new.key`;
}
