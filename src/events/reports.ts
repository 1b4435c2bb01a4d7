/**
 * Combines the reports of one event. Several deliveries can report one: a redelivery, or the statuses of a WhatsApp message.
 *
 * The combined event has the earliest time of any report, and everything else from the report that ranks first (`ranksBefore`). The
 * result does not depend on order, repetition or batching.
 */
import { type EventKind, eventKinds } from '../platforms/event.ts';

/** The report of one delivery about an event, without its key. `happenedAt` in ms. */
export type Report = { kind: EventKind; detail: string | null; contact: string | null; happenedAt: number };

/**
 * True when the event takes its kind, person and detail from `report` and not from `other`. The order of `eventKinds` decides, so a
 * received message wins over a sent one with the same id. Then a report with a person wins, and the smaller id.
 */
function ranksBefore(report: Report, other: Report): boolean {
  const order =
    eventKinds.indexOf(report.kind) - eventKinds.indexOf(other.kind) ||
    compareNullable(report.contact, other.contact) ||
    compareNullable(report.detail, other.detail);
  return order < 0;
}

function compareNullable(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null || a < b ? -1 : 1;
}

/** True when a further report changes the event. */
export function isChangedBy(event: Report, report: Report): boolean {
  return report.happenedAt < event.happenedAt || ranksBefore(report, event);
}

/** The event after both reports. Commutative, associative and idempotent. */
export function combine(event: Report, report: Report): Report {
  const { kind, detail, contact } = ranksBefore(report, event) ? report : event;
  return { kind, detail, contact, happenedAt: Math.min(event.happenedAt, report.happenedAt) };
}
