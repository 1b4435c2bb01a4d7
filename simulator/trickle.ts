/** Live traffic after the weeks of a world: one happening after another, now, to its people and to new ones. */
import { secondMs } from '../src/time.ts';
import type { Chance } from './chance.ts';
import { Diary, newPerson } from './diary.ts';
import type { Happening, Person } from './happening.ts';

const newcomerShare = 0.06;

/** What happens at `now` (ms): somebody new follows or writes, or one of the people writes, is answered, blocks. */
export function nextHappening(people: readonly Person[], chance: Chance, now: number): Happening {
  const platform = chance.weighted({ line: 45, facebook: 20, instagram: 15, whatsapp: 20 });
  const known = people.filter((person) => person.platform === platform);
  const isNew = known.length === 0 || chance.happens(newcomerShare);
  const person = isNew ? newPerson(platform, chance) : known[chance.whole(0, known.length - 1)]!;
  const diary = new Diary(platform, person, chance);
  if (platform === 'line') return onLine(diary, chance, now, isNew);
  return platform === 'whatsapp' ? onWhatsapp(diary, person, chance, now) : onMeta(diary, chance, now);
}

function onLine(diary: Diary, chance: Chance, now: number, isNew: boolean): Happening {
  if (isNew) return diary.add('follow', 'new', now);
  const kind = chance.weighted({ text: 80, sticker: 10, postback: 6, unfollow: 2, follow: 2 });
  if (kind === 'postback') return diary.add('postback', 'postback', now);
  if (kind === 'unfollow') return diary.add('unfollow', 'unfollow', now);
  return kind === 'follow' ? diary.add('follow', 'unblocked', now) : diary.add('message', kind, now);
}

function onMeta(diary: Diary, chance: Chance, now: number): Happening {
  return chance.happens(0.4) ? diary.add('answer', 'text', now) : diary.add('message', 'text', now);
}

function onWhatsapp(diary: Diary, person: Person, chance: Chance, now: number): Happening {
  const at = Math.floor(now / secondMs) * secondMs;
  const shown = person.userId === null ? 'number' : person.id === null ? 'user-id' : 'both';
  if (chance.happens(0.6)) return diary.add('message', 'text', at, { shown });
  const statuses = [{ status: 'sent', at } as const, { status: 'delivered', at: at + secondMs } as const];
  return diary.add('answer', 'text', at, { shown, statuses });
}
