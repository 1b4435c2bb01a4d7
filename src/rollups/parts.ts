/**
 * A batch's events in parts that share no person, each with what the database is asked about it: pure.
 *
 * The database works on one part while the next is worked out. Made when the batch is read, at a time at which there is nothing
 * else to do.
 */
import { isMessage } from '../events/event.ts';
import type { Id } from '../events/people.ts';
import { type IncomingEvent, withoutRepetitions } from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { ParsedBundle } from './batch.ts';
import type { IdSpan } from './conversation-runs.ts';

export type AskedPart = {
  incoming: readonly IncomingEvent[];
  /** Of the people whom the events name. */
  ids: readonly Id[];
  /** For each id with messages: from the first to the last of them. */
  spans: readonly IdSpan[];
};

/** The events of the bundles, about `size` of them in each part; one part where sends can bring further events. */
export function toParts(bundles: readonly ParsedBundle[], size: number): AskedPart[] {
  const incoming = bundles.flatMap((bundle) => bundle.incoming);
  const count = Math.ceil(incoming.length / size);
  if (count < 2 || bundles.some(({ sends, clicks }) => sends.length + clicks.length > 0)) {
    return [toPart(incoming)];
  }
  const parts = Array.from({ length: count }, (): IncomingEvent[] => []);
  const partOf = new ByPlatform<IncomingEvent[]>();
  let people = 0;
  for (const event of withoutRepetitions(incoming)) {
    // WhatsApp may yet tell that two of its ids name one person.
    const person = event.platform === 'whatsapp' ? '' : (event.contact ?? '');
    let part = partOf.get(event.platform, person);
    if (part === undefined) {
      part = parts[people++ % count] as IncomingEvent[];
      partOf.set(event.platform, person, part);
    }
    part.push(event);
  }
  return parts.map(toPart);
}

/** One part. */
export function toPart(incoming: readonly IncomingEvent[]): AskedPart {
  return { incoming, ids: idsOf(incoming), spans: messageSpans(incoming) };
}

function idsOf(incoming: readonly IncomingEvent[]): Id[] {
  const ids = new ByPlatform<Id>();
  const add = (platform: PlatformName, platformContactId: string | null) => {
    if (platformContactId === null || ids.get(platform, platformContactId)) return;
    ids.set(platform, platformContactId, { platform, platformContactId });
  };
  for (const { platform, contact, contactAlias } of incoming) {
    add(platform, contact);
    add(platform, contactAlias);
  }
  return ids.values();
}

function messageSpans(incoming: readonly IncomingEvent[]): IdSpan[] {
  const spans = new ByPlatform<IdSpan>();
  for (const { platform, contact, kind, happenedAt } of incoming) {
    if (contact === null || !isMessage(kind)) continue;
    const span = spans.get(platform, contact);
    if (!span) {
      spans.set(platform, contact, {
        platform,
        platformContactId: contact,
        from: happenedAt,
        to: happenedAt,
      });
    } else {
      span.from = Math.min(span.from, happenedAt);
      span.to = Math.max(span.to, happenedAt);
    }
  }
  return spans.values();
}
