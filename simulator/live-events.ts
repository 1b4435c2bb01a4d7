/** Live traffic after a world's end: one event at a time, of existing and of new people. */
import { secondMs } from '../src/time.ts';
import type { Person, SimulatedEvent } from './events/event.ts';
import { newPerson } from './events/ids.ts';
import type { SeededRandom } from './events/random.ts';
import { EventRecorder } from './events/recorder.ts';

const newcomerShare = 0.06;

/** The next event, at `now` (ms): a new person follows or writes, or an existing one writes, gets an answer or blocks. */
export function nextLiveEvent(people: readonly Person[], random: SeededRandom, now: number): SimulatedEvent {
  const platform = random.weighted({ line: 45, facebook: 20, instagram: 15, whatsapp: 20 });
  const existing = people.filter((person) => person.platform === platform);
  const isNew = existing.length === 0 || random.chance(newcomerShare);
  const person = isNew ? newPerson(platform, random) : existing[random.integer(0, existing.length - 1)]!;
  const recorder = new EventRecorder(platform, person, random);
  if (platform === 'line') return onLine(recorder, random, now, isNew);
  return platform === 'whatsapp'
    ? onWhatsapp(recorder, person, random, now)
    : onMessenger(recorder, random, now);
}

function onLine(recorder: EventRecorder, random: SeededRandom, now: number, isNew: boolean): SimulatedEvent {
  if (isNew) return recorder.add('follow', 'new', now);
  const action = random.weighted({ text: 80, sticker: 10, postback: 6, unfollow: 2, follow: 2 });
  if (action === 'postback') return recorder.add('postback', 'postback', now);
  if (action === 'unfollow') return recorder.add('unfollow', 'unfollow', now);
  return action === 'follow'
    ? recorder.add('follow', 'unblocked', now)
    : recorder.add('message', action, now);
}

function onMessenger(recorder: EventRecorder, random: SeededRandom, now: number): SimulatedEvent {
  return recorder.add(random.chance(0.4) ? 'answer' : 'message', 'text', now);
}

function onWhatsapp(
  recorder: EventRecorder,
  person: Person,
  random: SeededRandom,
  now: number,
): SimulatedEvent {
  const at = Math.floor(now / secondMs) * secondMs;
  const visibleIds = person.userId === null ? 'number' : person.id === null ? 'user-id' : 'both';
  if (random.chance(0.6)) return recorder.add('message', 'text', at, { visibleIds });
  const statuses = [{ status: 'sent', at } as const, { status: 'delivered', at: at + secondMs } as const];
  return recorder.add('answer', 'text', at, { visibleIds, statuses });
}
