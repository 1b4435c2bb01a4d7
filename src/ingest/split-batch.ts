/**
 * A batch's events in parts that share no person, each with what the database is asked about it: pure.
 *
 * The database works on one part while the next is worked out. Made when the batch is read, at a time at which there is nothing
 * else to do.
 */

import type { IncomingEvent } from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import { isMessage } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { AskedPerson } from './look-up.ts';

/** The contents of a bundle that decide how a batch is split. */
type Bundle = { incoming: readonly IncomingEvent[]; sends: readonly unknown[]; clicks: readonly unknown[] };

export type AskedPart = {
  incoming: readonly IncomingEvent[];
  /** Whom the events name. */
  people: readonly AskedPerson[];
};

/**
 * The events of the bundles, about `size` of them in each part. One part where sends can bring further events, or where two
 * reports of one event name different people.
 */
export function toParts(bundles: readonly Bundle[], size: number): AskedPart[] {
  const incoming = bundles.flatMap((bundle) => bundle.incoming);
  const count = Math.ceil(incoming.length / size);
  if (count < 2 || bundles.some(({ sends, clicks }) => sends.length + clicks.length > 0)) {
    return [toPart(incoming)];
  }
  const parts = Array.from({ length: count }, (): IncomingEvent[] => []);
  const partOf = new ByPlatform<IncomingEvent[]>();
  const partOfKey = new ByPlatform<IncomingEvent[]>();
  let people = 0;
  for (const event of incoming) {
    // WhatsApp may yet tell that two of its ids name one person.
    const person = event.platform === 'whatsapp' ? '' : (event.contact ?? '');
    let part = partOf.get(event.platform, person);
    if (part === undefined) {
      part = parts[people++ % count] as IncomingEvent[];
      partOf.set(event.platform, person, part);
    }
    if ((partOfKey.get(event.platform, event.key) ?? part) !== part) return [toPart(incoming)];
    partOfKey.set(event.platform, event.key, part);
    part.push(event);
  }
  return parts.map(toPart);
}

/** One part. */
export function toPart(incoming: readonly IncomingEvent[]): AskedPart {
  return { incoming, people: peopleOf(incoming) };
}

function peopleOf(incoming: readonly IncomingEvent[]): AskedPerson[] {
  const people = new ByPlatform<AskedPerson>();
  const personOf = (platform: PlatformName, platformContactId: string): AskedPerson => {
    const known = people.get(platform, platformContactId);
    if (known) return known;
    const person = { platform, platformContactId, span: null };
    people.set(platform, platformContactId, person);
    return person;
  };
  for (const { platform, contact, contactAlias, kind, happenedAt } of incoming) {
    if (contactAlias !== null) personOf(platform, contactAlias);
    if (contact === null) continue;
    const person = personOf(platform, contact);
    if (!isMessage(kind)) continue;
    if (person.span === null) {
      person.span = { from: happenedAt, to: happenedAt };
    } else {
      person.span.from = Math.min(person.span.from, happenedAt);
      person.span.to = Math.max(person.span.to, happenedAt);
    }
  }
  return people.values();
}
