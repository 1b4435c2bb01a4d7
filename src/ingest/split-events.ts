/** Splits the events of a bot with many, so that they are folded one part after the other. */
import type { IncomingEvent } from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';

/** The events in `count` parts that share no person. One part where two reports of one event name different people. */
export function splitEvents(incoming: readonly IncomingEvent[], count: number): readonly IncomingEvent[][] {
  const parts = Array.from({ length: count }, (): IncomingEvent[] => []);
  const partOfPerson = new ByPlatform<IncomingEvent[]>();
  const partOfKey = new ByPlatform<IncomingEvent[]>();
  let people = 0;
  for (const event of incoming) {
    // A later WhatsApp event may show that two ids name one person.
    const person = event.platform === 'whatsapp' ? '' : (event.contact ?? '');
    let part = partOfPerson.get(event.platform, person);
    if (part === undefined) {
      part = parts[people++ % count] as IncomingEvent[];
      partOfPerson.set(event.platform, person, part);
    }
    if ((partOfKey.get(event.platform, event.key) ?? part) !== part) return [[...incoming]];
    partOfKey.set(event.platform, event.key, part);
    part.push(event);
  }
  return parts;
}
