/** Ids of events, people and groups in each platform's format. */
import { createHash } from 'node:crypto';
import type { WebhookPlatformName } from '../../src/platforms/platform.ts';
import type { Person } from './event.ts';
import type { SeededRandom } from './random.ts';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const hex = '0123456789abcdef';
const digits = '0123456789';

/** An id of an event or message at that time (ms). */
export function eventId(platform: WebhookPlatformName, at: number, random: SeededRandom): string {
  if (platform === 'line') return ulidTime(at) + random.text(crockford, 16);
  if (platform === 'facebook') return `m_${random.text(base64, 86)}`;
  if (platform === 'instagram') return `aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE${random.text(base64, 80)}`;
  return `wamid.HBgM${random.text(base64, 44)}`;
}

/** A new person with unique ids. */
export function newPerson(platform: WebhookPlatformName, random: SeededRandom): Person {
  const person = { platform, id: null, userId: null };
  if (platform === 'line') return { ...person, id: `U${random.text(hex, 32)}` };
  if (platform !== 'whatsapp') return { ...person, id: `7${random.text(digits, 15)}` };
  const number = `8869${random.text(digits, 8)}`;
  const userId = `TW.1${random.text(digits, 15)}`;
  const ids = random.weighted({ number: 45, userId: 20, both: 35 });
  if (ids === 'number') return { ...person, id: number };
  return ids === 'userId' ? { ...person, userId } : { ...person, id: number, userId };
}

export function newGroupId(platform: WebhookPlatformName, random: SeededRandom): string {
  return platform === 'line' ? `C${random.text(hex, 32)}` : `HBgy${random.text(base64, 31)}`;
}

/** A number from 0 to below `count` that depends on the id alone, so repeated calls agree without a random draw. */
export function stableNumber(id: string, count: number): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % count;
}

function ulidTime(at: number): string {
  let text = '';
  for (let rest = at, length = 0; length < 10; length += 1, rest = Math.floor(rest / 32)) {
    text = crockford[rest % 32] + text;
  }
  return text;
}
