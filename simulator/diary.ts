/** What happens to one person, written down in order of telling; ids look as each platform makes them. */
import { createHash } from 'node:crypto';
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import type { Chance } from './chance.ts';
import type { Happening, Person, What } from './happening.ts';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const hex = '0123456789abcdef';
const digits = '0123456789';

type Extra = Partial<Pick<Happening, 'about' | 'data' | 'group' | 'mode' | 'shown' | 'statuses'>>;

export class Diary {
  readonly happenings: Happening[] = [];
  readonly #platform: WebhookPlatformName;
  readonly #person: Person | null;
  readonly #chance: Chance;

  constructor(platform: WebhookPlatformName, person: Person | null, chance: Chance) {
    this.#platform = platform;
    this.#person = person;
    this.#chance = chance;
  }

  add(what: What, form: string, at: number, extra: Extra = {}): Happening {
    const id = eventId(this.#platform, at, this.#chance);
    const happening = { platform: this.#platform, what, form, id, at, person: this.#person, ...extra };
    this.happenings.push(happening);
    return happening;
  }
}

/** An id as the platform would give to an event or message of that time. */
export function eventId(platform: WebhookPlatformName, at: number, chance: Chance): string {
  if (platform === 'line') return ulidTime(at) + chance.text(crockford, 16);
  if (platform === 'facebook') return `m_${chance.text(base64, 86)}`;
  if (platform === 'instagram') return `aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE${chance.text(base64, 80)}`;
  return `wamid.HBgM${chance.text(base64, 44)}`;
}

/** A new person of the platform, with ids nobody else has. */
export function newPerson(platform: WebhookPlatformName, chance: Chance): Person {
  const person = { platform, id: null, userId: null, friendBefore: false };
  if (platform === 'line') return { ...person, id: `U${chance.text(hex, 32)}` };
  if (platform !== 'whatsapp') return { ...person, id: `7${chance.text(digits, 15)}` };
  const number = `8869${chance.text(digits, 8)}`;
  const userId = `TW.1${chance.text(digits, 15)}`;
  const known = chance.weighted({ number: 45, userId: 20, both: 35 });
  if (known === 'number') return { ...person, id: number };
  return known === 'userId' ? { ...person, userId } : { ...person, id: number, userId };
}

/** A group as the platform names it. */
export function newGroup(platform: WebhookPlatformName, chance: Chance): string {
  return platform === 'line' ? `C${chance.text(hex, 32)}` : `HBgy${chance.text(base64, 31)}`;
}

/** A number from 0 to below `count` that an id always gives again: bodies vary with it, without any chance of their own. */
export function variety(id: string, count: number): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % count;
}

function ulidTime(at: number): string {
  let text = '';
  for (let left = at, place = 0; place < 10; place += 1, left = Math.floor(left / 32)) {
    text = crockford[left % 32] + text;
  }
  return text;
}
