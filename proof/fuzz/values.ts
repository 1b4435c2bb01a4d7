/** Values for the fields of the contracts: valid by their schema, or hostile. All choices come from the seed. */
import { ulid } from 'ulid';
import type { SeededRandom } from '../../simulator/events/random.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { dayMs } from '../../src/time.ts';
import { Failure } from '../part.ts';
import type { Pool } from './pool.ts';

export type Source = { random: SeededRandom; pool: Pool; operationId: string; callbackUrl: string };

const letters = 'abcdefghijklmnopqrstuvwxyz';
const words = '春夏 秋冬 Zoë naïve 🎎 O’Neil e\u0301 ﷽ %_\\';
const pooled =
  /^(contactId|toContactId|clientId|clientIds|contact|contacts|tagId|autoTagId|visitorId|deliveryId|noticeId|jobId|tokenId|lineTokenId|userId|entryId|requestId)$/;

/** A value that the schema allows. Known ids are used where the name says so. */
export function validValue(schema: JsonObject, name: string, source: Source): unknown {
  const { random, pool } = source;
  const kinds = [schema.type].flat().filter((kind) => typeof kind === 'string');
  if (kinds.includes('null') && random.chance(0.2)) return null;
  if (schema.nullable === true && random.chance(0.1)) return null;
  const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (Array.isArray(choices)) return choices[random.integer(0, choices.length - 1)];
  for (const combined of ['oneOf', 'anyOf'] as const) {
    const branches = schema[combined];
    if (Array.isArray(branches) && schema.properties === undefined)
      return validValue(objectOf(branches[random.integer(0, branches.length - 1)]), name, source);
  }
  if (Array.isArray(schema.allOf)) {
    const parts = [{ ...schema, allOf: undefined }, ...schema.allOf.map(objectOf)];
    const isObjects = parts.some(({ properties }) => properties !== undefined);
    return isObjects
      ? Object.assign({}, ...parts.map((part) => validObject(part, source)))
      : validValue(Object.assign({}, ...parts), name, source);
  }
  if (kinds.includes('object') || schema.properties !== undefined) return validObject(schema, source);
  if (kinds.includes('array')) return validList(schema, name, source);
  if (kinds.includes('integer') || kinds.includes('number')) return validNumber(schema, name, random);
  if (kinds.includes('boolean')) return random.chance(0.5);
  return (pooled.test(name) ? pool.pick(name, random) : null) ?? validText(schema, name, source);
}

function validObject(schema: JsonObject, source: Source): JsonObject {
  const { random } = source;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const names = Object.keys(objectOf(schema.properties)).filter(
    (name) => required.includes(name) || random.chance(0.5),
  );
  const all = Object.keys(objectOf(schema.properties));
  const least = Number(schema.minProperties ?? 0);
  const chosen = names.length < least ? all.slice(0, least) : names;
  return Object.fromEntries(
    chosen.map((name) => [name, validValue(objectOf(objectOf(schema.properties)[name]), name, source)]),
  );
}

function validList(schema: JsonObject, name: string, source: Source): unknown[] {
  const { random } = source;
  const min = Number(schema.minItems ?? 0);
  const length = random.integer(min, Math.min(Number(schema.maxItems ?? 8), min + 3));
  const items = Array.from({ length }, () => validValue(objectOf(schema.items), name, source));
  return schema.uniqueItems === true ? [...new Set(items)] : items;
}

function validNumber(
  { minimum = 0, maximum = 2_147_483_647 }: JsonObject,
  name: string,
  random: SeededRandom,
) {
  const min = Number(minimum);
  const max = Number(maximum);
  if (/^(at|sequence|after|before)$/.test(name)) return random.integer(min, Math.min(max, 20));
  if (name === 'startAt' || name === 'endAt') return random.integer(1_600_000_000_000, 1_900_000_000_000);
  if (random.chance(0.1)) return random.pick([min, max]);
  return random.integer(min, Math.min(max, min + random.pick([3, 100, 5_000])));
}

/** Throws Failure if no known form matches the schema's pattern: add one to `forms`. */
function validText(schema: JsonObject, name: string, source: Source): string {
  const text = usualText(schema, name, source);
  const { pattern } = schema;
  if (typeof pattern !== 'string') return text;
  const expression = new RegExp(pattern, 'u');
  if (expression.test(text)) return text;
  for (const form of forms) {
    const other = form(source);
    if (expression.test(other)) return other;
  }
  throw new Failure(`the fuzzer knows no text for the pattern ${pattern}`);
}

const forms: readonly ((source: Source) => string)[] = [
  ({ random }) => random.text(letters, 10),
  ({ random }) => random.text(letters, 10).toUpperCase(),
  ({ random }) => `v_${random.text(letters, 14)}`,
  ({ random }) => String(random.integer(1, 999_999)),
  ({ random }) => date(random).replaceAll('-', ''),
  ({ random }) => ulid(dayStart(random), () => random.next()),
  () => '+886 2 2345 6789',
  () => '12:30',
  ({ random }) => random.text('0123456789abcdef', 32),
  ({ random }) => `${date(random)}T12:30`,
  ({ callbackUrl, random }) => `${callbackUrl}/${random.text(letters, 6)}`,
];

function usualText(schema: JsonObject, name: string, source: Source): string {
  const { random } = source;
  const { format, minLength = 0, maxLength = 60 } = schema;
  if (format === 'date') return date(random);
  if (format === 'date-time') return new Date(dayStart(random) + random.integer(0, dayMs)).toISOString();
  if (format === 'birthday') return '1990-05-17';
  if (format === 'email') return `${random.text(letters, 8)}@shop.example`;
  if (format === 'uri' || name === 'url') return `${source.callbackUrl}/${random.text(letters, 6)}`;
  if (/zone$/i.test(name)) return random.pick(['Asia/Taipei', 'UTC', 'America/St_Johns', 'Pacific/Apia']);
  if (/(Time|Date)$/.test(name)) return date(random);
  if (/^(currentPassword|password)$/.test(name)) return `pass ${random.text(letters, 20)}`;
  if (name === 'language') return random.pick(['zh-Hant', 'ja', 'en']);
  const max = Math.max(1, Math.min(Number(maxLength), 60));
  const min = Math.max(1, Number(minLength));
  const length = random.integer(min, max);
  const text = random.chance(0.2) ? [...words].slice(0, length).join('') : '';
  return (text || random.text(letters, length)).slice(0, max).trim().padEnd(min, 'a');
}

function dayStart(random: SeededRandom): number {
  return Math.floor(Date.now() / dayMs - random.integer(0, 60)) * dayMs;
}

function date(random: SeededRandom): string {
  return new Date(dayStart(random)).toISOString().slice(0, 10);
}

const numbers = [
  ...[0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 1e19, 1e308, -1e308, 5e-324, 32_768],
  ...['@raw:1e999@', '@raw:-0@', '@raw:9223372036854775808@', `@raw:${'9'.repeat(400)}@`, '@raw:1E+2@'],
] as const;
const dates = [
  ...['0000-01-01', '0001-01-01', '1969-12-31', '2016-12-31', '2200-01-01', '9999-12-31', '10000-01-01'],
  ...['-000001-01-01', '+010000-01-01', '-271821-04-20', '2026-02-30', '2026-13-01', '00000101', '99991231'],
  ...[
    '2016-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999999Z',
    '2026-03-01T24:00:00Z',
  ],
  ...['2026-03-01T00:00:00+24:00', '10000-01-01T00:00:00Z', '2026-03-01T00:00:00-00:00', '2026-03-01 00:00'],
  ...['infinity', '-infinity', 'epoch', '2026-03-01T00:00:00', '294277-01-01T00:00:00Z', '4714-11-23 BC'],
] as const;
const texts = [
  ...[
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    'a\udc00b',
    '\ufeff',
    '\u202egnirts',
    '\uffff',
    '\u{10ffff}',
    'é\u0301',
  ],
  ...['__proto__', 'constructor', 'toString', 'null', 'undefined', 'NaN', 'true', '0', '-1', '9'.repeat(30)],
  ...[
    "'; drop table bots; --",
    '$1',
    '%',
    '_',
    '\\',
    '\\0',
    '../../etc/passwd',
    '..',
    '.',
    '/',
    '//',
    '?',
    '#',
  ],
  ...[
    '{}',
    '[]',
    '"',
    '<script>',
    '\r\nx: y',
    '\t',
    '\u0085',
    '\u2028',
    'ß',
    'İ',
    'ﬀ',
    '1e308',
    '0x10',
    '١٢',
  ],
  ...['x'.repeat(300), 'x'.repeat(5_000), '界'.repeat(2_000), 'all', 'UTC+25', 'Etc/GMT+99', 'javascript:1'],
] as const;

/** A value that a careless server does not expect. */
export function hostileValue(random: SeededRandom): unknown {
  const kind = random.weighted({ text: 6, number: 4, date: 3, other: 3, deep: 0.5, long: 0.2 });
  if (kind === 'text') return random.pick(texts);
  if (kind === 'number') return random.pick(numbers);
  if (kind === 'date') return random.pick(dates);
  if (kind === 'other') return random.pick([null, true, false, [], {}, [null], [[]], [{}], { a: 1 }]);
  if (kind === 'deep') {
    const depth = random.pick([20, 200, 5_000]);
    return `@raw:${'['.repeat(depth)}${']'.repeat(depth)}@`;
  }
  return random.chance(0.5) ? 'x'.repeat(20_000) : Array.from({ length: 2_000 }, () => 1);
}

/** A hostile text, for addresses and headers. */
export function hostileText(random: SeededRandom): string {
  return String(
    random.chance(0.4) ? random.pick(dates) : random.chance(0.3) ? random.pick(numbers) : random.pick(texts),
  ).replace(/^@raw:|@$/g, '');
}

/** A damaged cursor: flipped, foreign, or with a changed member. */
export function hostileCursor(cursor: string | null, random: SeededRandom): string {
  if (cursor === null) return Buffer.from(JSON.stringify(hostileValue(random)) ?? '').toString('base64url');
  const at = random.integer(0, cursor.length - 1);
  const flipped = cursor.slice(0, at) + random.text('AZaz09-_', 1) + cursor.slice(at + 1);
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!isObject(fields) || random.chance(0.2)) return flipped;
    const names = Object.keys(fields);
    fields[names[random.integer(0, names.length - 1)] ?? ''] = hostileValue(random);
    return Buffer.from(toText(fields)).toString('base64url');
  } catch {
    // Not every cursor is JSON.
    return flipped;
  }
}

/** JSON text. `"@raw:…@"` becomes the text between, for numbers and nesting that JSON.stringify cannot write. */
export function toText(value: unknown): string {
  return (JSON.stringify(value) ?? '').replace(/"@raw:([^@]*)@"/g, (_, raw: string) => raw);
}

export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
