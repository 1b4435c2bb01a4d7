/**
 * Filters and orders of contacts against a naive model: the pages of the list, the count, the export and the audience of a send
 * select the same contacts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ContactFilter, ContactOrder, Cursor } from '../../src/contacts/filter.ts';
import { countContacts, listContacts } from '../../src/contacts/list.ts';
import type { Sql } from '../../src/database/client.ts';
import { writeExport } from '../../src/exports/export.ts';
import { previewAudience } from '../../src/sends/plan.ts';
import { dayMs } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { addBot } from './events.ts';

type ValueOf<One> = One extends fc.Arbitrary<infer Value> ? Value : never;

const start = Date.parse('2026-03-01T00:00:00Z');
const now = start + 10 * dayMs;
const platforms = ['line', 'facebook', 'whatsapp'] as const;
const moment = fc.integer({ min: 0, max: 3 }).map((step) => start + step);

const contact = fc.record({
  platform: fc.constantFrom(...platforms),
  createdAt: moment,
  isFollower: fc.boolean(),
  blocked: fc.boolean(),
  state: fc.constantFrom('normal', 'normal', 'normal', 'normal', 'merged', 'forgotten'),
  profile: fc.option(
    fc.record({
      name: fc.constantFrom(null, 'Ada', 'ada lin', 'Ben'),
      customerId: fc.constantFrom(null, 'C1', 'C2'),
    }),
  ),
  tag: fc.constantFrom('none', 'active', 'ended'),
  points: fc.option(fc.record({ lasting: fc.nat({ max: 2 }), expired: fc.nat({ max: 2 }) })),
  events: fc.array(fc.tuple(fc.constantFrom('message-in', 'message-out' as const), moment), { maxLength: 2 }),
});
type Contact = ValueOf<typeof contact> & { contactId: string };

const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 2 });
const filter: fc.Arbitrary<ContactFilter> = fc.record({
  id: fc.oneof({ arbitrary: fc.constant(null), weight: 8 }, fc.constantFrom('ca', 'pb', 'none')),
  customerId: fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, fc.constantFrom('C1', 'c1')),
  hasCustomer: orNull(fc.boolean()),
  platform: orNull(fc.constantFrom(...platforms)),
  name: fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, fc.constantFrom('ADA', 'b', '%')),
  tag: fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, fc.constantFrom('VIP', 'vip', 'tag')),
  blocked: orNull(fc.boolean()),
  follower: orNull(fc.boolean()),
  pointsMin: orNull(fc.nat({ max: 2 })),
  pointsMax: orNull(fc.nat({ max: 2 })),
  from: orNull(moment),
  to: orNull(moment),
  activeFrom: orNull(moment),
  activeTo: orNull(moment),
});
const order: fc.Arbitrary<ContactOrder> = fc.constantFrom('newest', 'oldest', 'points', 'active');
const plan = fc.record({
  contacts: fc.array(contact, { maxLength: 12 }),
  // Most filters that combine many conditions select nothing, so single conditions are tried as well.
  queries: fc.array(fc.tuple(filter, fc.subarray<keyof ContactFilter>(filterNames()), order), {
    minLength: 4,
    maxLength: 4,
  }),
  limit: fc.integer({ min: 1, max: 5 }),
});

test('the list in every order, its count, exports and audiences select the contacts that meet every condition', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  const check = async ({ contacts: plain, queries, limit }: ValueOf<typeof plan>) => {
    const botId = `bot${bots++}`;
    const contacts = plain.map((one, index) => ({ ...one, contactId: `c${letter(index)}` }));
    await store(sql, botId, contacts);
    for (const [whole, names, order] of queries) {
      const conditions = Object.fromEntries(
        Object.entries(whole).map(([name, value]) => [
          name,
          names.some((one) => one === name) ? value : null,
        ]),
      ) as ContactFilter;
      const expected = contacts.filter((one) => meets(one, conditions)).sort(byOrder(order));
      const ids = expected.map(({ contactId }) => contactId);
      assert.deepEqual(await listed(sql, { ...conditions, botId, order, limit }), ids);
      assert.equal(await countContacts(sql, { ...conditions, botId, now }), ids.length);
      assert.deepEqual((await exported(sql, botId, conditions)).sort(), ids.toSorted());
      const { platform } = conditions;
      if (platform === null) continue;
      const blocked = expected.filter((one) => one.blocked).length;
      assert.deepEqual(await previewAudience(sql, { botId, platform, filter: conditions, now }), {
        recipients: ids.length - blocked,
        blocked,
      });
    }
  };
  await holds(t, fc.asyncProperty(plan, check), { runs: 20 });
});

function filterNames(): (keyof ContactFilter)[] {
  return [
    ...(['id', 'customerId', 'hasCustomer', 'platform', 'name', 'tag', 'blocked', 'follower'] as const),
    ...(['pointsMin', 'pointsMax', 'from', 'to', 'activeFrom', 'activeTo'] as const),
  ];
}

function letter(index: number): string {
  return 'abcdefghijkl'[index] ?? '';
}

function lastActive({ events }: Contact): number | null {
  const times = events.flatMap(([kind, at]) => (kind === 'message-in' ? [at] : []));
  return times.length === 0 ? null : Math.max(...times);
}

function meets(contact: Contact, filter: ContactFilter): boolean {
  const { contactId, profile } = contact;
  const points = contact.points?.lasting ?? 0;
  const active = lastActive(contact);
  const is = <Value>(wanted: Value | null, value: Value) => wanted === null || wanted === value;
  const within = (value: number | null, min: number | null, max: number | null) =>
    (min === null || (value !== null && value >= min)) && (max === null || (value !== null && value <= max));
  return (
    contact.state === 'normal' &&
    (filter.id === null || filter.id === contactId || filter.id === contactId.replace('c', 'p')) &&
    is(filter.customerId, profile?.customerId ?? null) &&
    is(filter.hasCustomer, (profile?.customerId ?? null) !== null) &&
    is(filter.platform, contact.platform) &&
    (filter.name === null || (profile?.name ?? '').toLowerCase().includes(filter.name.toLowerCase())) &&
    (filter.tag === null || (filter.tag !== 'vip' && contact.tag === 'active')) &&
    is(filter.blocked, contact.blocked) &&
    is(filter.follower, contact.isFollower) &&
    within(points, filter.pointsMin, filter.pointsMax) &&
    within(contact.createdAt, filter.from, filter.to) &&
    within(active, filter.activeFrom, filter.activeTo)
  );
}

function byOrder(order: ContactOrder) {
  const keyOf = (one: Contact): number =>
    ({
      newest: one.createdAt,
      oldest: one.createdAt,
      points: one.points?.lasting ?? 0,
      active: lastActive(one) ?? 0,
    })[order];
  const sign = order === 'oldest' ? 1 : -1;
  return (one: Contact, other: Contact): number =>
    sign * (keyOf(one) - keyOf(other) || (one.contactId < other.contactId ? -1 : 1));
}

async function listed(
  sql: Sql,
  query: ContactFilter & { botId: string; order: ContactOrder; limit: number },
): Promise<string[]> {
  const ids: string[] = [];
  let after: Cursor | null = null;
  do {
    const page: Awaited<ReturnType<typeof listContacts>> = await listContacts(sql, {
      ...query,
      offset: 0,
      after,
      now,
    });
    ids.push(...page.contacts.map(({ contactId }) => contactId));
    after = page.next;
  } while (after !== null);
  return ids;
}

async function exported(sql: Sql, botId: string, contacts: ContactFilter): Promise<string[]> {
  let text = '';
  const write = async (piece: string) => {
    text += piece;
  };
  const request = {
    botId,
    what: 'contacts',
    format: 'ndjson',
    bom: false,
    from: undefined,
    to: undefined,
  } as const;
  await writeExport(sql, { ...request, contacts }, { now, signal: new AbortController().signal, write });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { contact_id: string }).contact_id);
}

async function store(sql: Sql, botId: string, contacts: readonly Contact[]): Promise<void> {
  await addBot(sql, botId, 'Asia/Taipei');
  const bot_id = botId;
  const at = new Date(start);
  await sql`insert into tags ${sql({ bot_id, tag_id: 'tag', kind: 'manual', name: 'VIP', created_at: at, updated_at: at })}`;
  const put = async (table: string, rows: readonly Record<string, unknown>[]): Promise<void> => {
    if (rows.length > 0) await sql`insert into ${sql(table)} ${sql(rows as Record<string, string>[])}`;
  };
  const of = ({ contactId: contact_id }: Contact) => ({ bot_id, contact_id });
  await put(
    'contacts',
    contacts.map((one) => ({
      ...of(one),
      platform: one.platform,
      platform_contact_id: one.contactId.replace('c', 'p'),
      merged_into: one.state === 'merged' ? 'other' : null,
      forgotten_at: one.state === 'forgotten' ? at : null,
      followed_at: one.isFollower ? at : null,
      blocked: one.blocked,
      created_at: new Date(one.createdAt),
    })),
  );
  await put(
    'contact_profiles',
    contacts.flatMap((one) =>
      one.profile
        ? [{ ...of(one), name: one.profile.name, customer_id: one.profile.customerId, updated_at: at }]
        : [],
    ),
  );
  await put(
    'contact_tags',
    contacts.flatMap((one) =>
      one.tag === 'none'
        ? []
        : [
            {
              ...of(one),
              tag_id: 'tag',
              created_at: at,
              ends_at: one.tag === 'ended' ? new Date(now) : null,
            },
          ],
    ),
  );
  const accounts = contacts.flatMap(({ points, ...one }) =>
    points ? [{ ...of({ ...one, points }), ...points }] : [],
  );
  await put(
    'point_accounts',
    accounts.map(({ lasting, expired, ...key }) => ({
      ...{
        ...key,
        balance: lasting + expired,
        lasting,
        next_expiry_at: expired > 0 ? at : null,
      },
    })),
  );
  await put(
    'point_lots',
    accounts.flatMap(({ expired, lasting: _, ...key }) =>
      expired > 0 ? [{ ...key, expires_at: at, remaining: expired }] : [],
    ),
  );
  await put(
    'events',
    contacts.flatMap((one) =>
      one.events.map(([kind, happened], index) => ({
        ...{ ...of(one), platform: one.platform, key: `${one.contactId}${index}`, kind },
        ...{ happened_at: new Date(happened), received_at: new Date(happened) },
      })),
    ),
  );
}
