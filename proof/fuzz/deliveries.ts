/**
 * Bodies of webhooks for the fuzzer: the fixtures of tests/fixtures/webhooks, with ids and times of their own, then changed. Some are
 * batches of changed items and a good one, which must be counted.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ulid } from 'ulid';
import type { SeededRandom } from '../../simulator/events/random.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { dayMs } from '../../src/time.ts';
import { lineSignature, metaSignature } from '../../tests/harness/fixtures.ts';
import {
  lineBody,
  lineSecret,
  lineUser,
  messengerBody,
  metaSecret,
  whatsappBody,
} from '../../tests/harness/webhooks.ts';
import { mutated, withRepeatedName } from './mutations.ts';
import { accounts, type Platform } from './tenant.ts';
import { objectOf, toText } from './values.ts';

export const bodyPlatforms = ['line', 'facebook', 'instagram', 'whatsapp', 'liveChat'] as const;
export type BodyPlatform = (typeof bodyPlatforms)[number];

export type WebhookBody = {
  platform: BodyPlatform;
  changes: string[];
  bytes: Buffer;
  headers: Record<string, string>;
  /** False: the signature is wrong. */
  isSigned: boolean;
  /** The key of the good message, which must be counted. */
  goodKey: string | null;
};

const folders: Record<BodyPlatform, string> = {
  ...{
    line: 'line',
    facebook: 'messenger',
    instagram: 'instagram',
    whatsapp: 'whatsapp',
    liveChat: 'livechat',
  },
};
const root = fileURLToPath(new URL('../../tests/fixtures/webhooks/', import.meta.url));
const fixtures = Object.fromEntries(
  bodyPlatforms.map((platform) => [
    platform,
    globSync(`${folders[platform]}/*.json`, { cwd: root })
      .sort()
      .map((name): unknown => JSON.parse(readFileSync(root + name, 'utf8'))),
  ]),
) as Record<BodyPlatform, unknown[]>;

const goodShare = 0.3;
const wrongSignatureShare = 0.03;
const people = 200;
/** The first characters of the ids of people with a good message. They are never deleted, so their messages stay. */
export const goodPerson = { line: 'U600d', number: '6009' };
const digits = '0123456789';
const times = [
  0, -1, 1, 253_402_300_799_999, 253_402_300_800_000, 8.64e15, -62_135_596_800_000, 1e18, 4_102_444_800_000,
];

/** A signed body of the platform. */
export function makeBody(platform: BodyPlatform, random: SeededRandom): WebhookBody {
  const changes: string[] = [];
  let value = withOwnIds(fixtureOf(platform, random), random);
  const isGood = platform !== 'liveChat' && random.chance(goodShare);
  const goodKey = isGood ? keyOf(platform, random) : null;
  for (let times = random.pick([0, 1, 1, 2, 4]); times > 0; times--) {
    const change = mutated(isGood ? itemsOf(value) : value, random);
    value = isGood
      ? {
          ...objectOf(value),
          [listName(platform)]: Array.isArray(change.value) ? change.value : [change.value],
        }
      : change.value;
    changes.push(change.what);
  }
  if (isGood && goodKey !== null) value = withGood(platform, { value, key: goodKey, random });
  let bytes = Buffer.from(toText(value));
  if (!isGood && random.chance(0.2)) {
    const kind = random.weighted({ cut: 2, repeatedName: 2, invalid: 3, empty: 1, huge: 0.02 });
    changes.push(kind);
    bytes = damaged(bytes, kind, random);
  }
  const isSigned = !random.chance(wrongSignatureShare);
  return { platform, changes, bytes, headers: signatureOf(platform, bytes, isSigned), isSigned, goodKey };
}

function fixtureOf(platform: BodyPlatform, random: SeededRandom): unknown {
  const all = fixtures[platform];
  const first = all[random.integer(0, all.length - 1)];
  if (platform === 'liveChat' || random.chance(0.6)) return structuredClone(first);
  // A batch of several fixtures.
  const second = all[random.integer(0, all.length - 1)];
  return structuredClone({
    ...objectOf(first),
    [listName(platform)]: [...itemsOf(first), ...itemsOf(second)],
  });
}

function listName(platform: BodyPlatform): string {
  return platform === 'line' ? 'events' : 'entry';
}

function itemsOf(value: unknown): unknown[] {
  const { events, entry } = objectOf(value);
  return Array.isArray(events) ? events : Array.isArray(entry) ? entry : [];
}

/** Replaces ids and times, so that bodies differ. Some ids stay, are repeated, or differ in case alone. */
function withOwnIds(value: unknown, random: SeededRandom, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withOwnIds(item, random, name));
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, member]) => [key, withOwnIds(member, random, key)]);
    return Object.fromEntries(members);
  }
  if (/^(timestamp|time|watermark)$/.test(name)) return timeLike(value, random);
  if (typeof value !== 'string' || Object.values<string>(accounts).includes(value) || random.chance(0.1))
    return value;
  if (/^U[0-9a-f]{32}$/.test(value)) return changedCase(`U${personNumber(random).padStart(32, 'a')}`, random);
  if (name === 'webhookEventId')
    return changedCase(
      ulid(Date.now(), () => random.next()),
      random,
    );
  if (/^(mid|id|visitorId|sessionId)$/.test(name) && value.length > 12)
    return /^\d+$/.test(value)
      ? `${value.slice(0, -4)}${personNumber(random).padStart(4, '0')}`
      : changedCase(value.slice(0, -6) + random.text(`${digits}abcdef`, 6), random);
  if (/^(from|wa_id|recipient_id)$/.test(name)) return `8869${personNumber(random).padStart(8, '0')}`;
  return value;
}

function personNumber(random: SeededRandom): string {
  return String(random.integer(1, people));
}

function changedCase(text: string, random: SeededRandom): string {
  return random.chance(0.05) ? text.toUpperCase() : text;
}

function timeLike(value: unknown, random: SeededRandom): unknown {
  const isSeconds = typeof value === 'string';
  const ms = random.chance(0.1) ? (times[random.integer(0, times.length - 1)] ?? 0) : recent(random);
  return isSeconds ? String(Math.floor(ms / 1_000)) : ms;
}

function recent(random: SeededRandom): number {
  return Date.now() - random.integer(0, 20 * dayMs);
}

function keyOf(platform: Exclude<BodyPlatform, 'liveChat'>, random: SeededRandom): string {
  const id = ulid(Date.now(), () => random.next());
  return { line: id, facebook: `m_${id}`, instagram: `m_${id}`, whatsapp: `wamid.${id}` }[platform];
}

function withGood(
  platform: BodyPlatform,
  { value, key, random }: { value: unknown; key: string; random: SeededRandom },
): JsonObject {
  const at = recent(random);
  const from = `${goodPerson.number}${random.text(digits, 8)}`;
  const good = JSON.parse(goodBody(platform as Platform, { key, at, from, random }));
  const name = listName(platform);
  const items = [...itemsOf(value), ...good[name]];
  return { ...good, [name]: random.chance(0.5) ? items : items.reverse() };
}

function goodBody(
  platform: Platform,
  { key, at, from, random }: { key: string; at: number; from: string; random: SeededRandom },
): string {
  if (platform === 'line') {
    const body = lineBody([{ type: 'message', id: key, user: from, at }], random.chance(0.1));
    return body.replaceAll(lineUser(from), `${goodPerson.line}${from.padStart(28, '0')}`);
  }
  if (platform === 'whatsapp') return whatsappBody([{ id: key, from, at }]);
  return messengerBody(platform, accounts[platform], [{ id: key, from, at }]);
}

function damaged(bytes: Buffer, kind: string, random: SeededRandom): Buffer<ArrayBuffer> {
  const cut = Buffer.from(bytes.subarray(0, random.integer(0, bytes.length)));
  if (kind === 'cut') return cut;
  if (kind === 'repeatedName') return Buffer.from(withRepeatedName(bytes.toString()));
  if (kind === 'empty') return Buffer.alloc(0);
  if (kind === 'huge') return Buffer.alloc(random.pick([3 * 1024 * 1024, 3 * 1024 * 1024 + 1]), ' ');
  const at = cut.length;
  return Buffer.concat([
    cut,
    random.pick([Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0])]),
    bytes.subarray(at),
  ]);
}

function signatureOf(platform: BodyPlatform, bytes: Buffer, isSigned: boolean): Record<string, string> {
  if (platform === 'liveChat') return {};
  return platform === 'line'
    ? lineSignature(bytes, isSigned ? lineSecret : 'another')
    : metaSignature(bytes, isSigned ? metaSecret : 'another');
}
