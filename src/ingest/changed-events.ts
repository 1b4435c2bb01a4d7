/**
 * Stored events that reports of a batch change. Rare: a WhatsApp status that is older than those before it, or a report that names the
 * person. LINE's redeliveries change nothing.
 */
import type { Transaction } from '../database/client.ts';
import { combine, isChangedBy } from '../events/reports.ts';
import type { IncomingEvent, StoredEvent } from '../events/store.ts';
import type { ByPlatform } from '../platforms/by-platform.ts';
import type { EventChange } from '../rollups/followers.ts';
import { addPeople, type People, type PersonEvent } from './people.ts';

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
  if (owners.length > 0) await addPeople(tx, people, owners);
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
