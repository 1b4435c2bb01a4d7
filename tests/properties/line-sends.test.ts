/**
 * LINE's outbound messages and conversations against a naive model: gateway sends, LINE's snapshots and statistics, and the
 * webhooks that replies answer, in any order, repeated, in any batches, always leave the figures of the definitions.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { type DeliverySource, putDeliveries } from '../../src/inbox/inbox.ts';
import { hashReplyToken } from '../../src/line/reply-tokens.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { testDatabase } from '../harness/database.ts';
import { foldPending } from '../harness/fold.ts';
import { holds } from '../harness/property.ts';

const gapMs = 15 * 60_000;
const firstAt = Date.parse('2026-03-01T14:00:00Z');
const kinds = ['push', 'multicast', 'broadcast', 'narrowcast', 'reply'] as const;

type Happening =
  | { is: 'send'; id: number; late: number }
  | { is: 'message'; id: number }
  | { is: 'snapshot'; day: number; status: 'ready' | 'unready'; push: number; reply: number; age: number }
  | { is: 'statistic'; id: number; delivered: number | null; age: number };

/** Replies more often than others, for they have two orders more. */
const sendId = fc.oneof(fc.nat(14), fc.constantFrom(4, 9, 14));

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant('send' as const), id: sendId, late: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('message' as const), id: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('snapshot' as const),
      day: fc.nat(2),
      status: fc.constantFrom('ready' as const, 'unready' as const),
      push: fc.nat(50),
      reply: fc.nat(50),
      age: fc.nat(1_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('statistic' as const),
      id: fc.nat(14),
      delivered: fc.option(fc.nat(500)),
      age: fc.nat(1_000),
    }),
  },
);

const plan = fc.record({
  zone: fc.constantFrom('Asia/Taipei', 'Asia/Tokyo', 'America/New_York'),
  happenings: fc.uniqueArray(happening, {
    minLength: 8,
    maxLength: 24,
    size: 'max',
    // Two answers about the same at the same instant have no order.
    selector: (one) => ('age' in one ? `${one.is} ${'id' in one ? one.id : one.day} ${one.age}` : one),
  }),
  order: fc.infiniteStream(fc.integer({ min: 0, max: 999 })),
  batch: fc.integer({ min: 1, max: 9 }),
});

/** Everything about a send follows from its number: two tellings of one send differ by the time alone. */
function sendOf(id: number, late: number) {
  const kind = kinds[id % kinds.length] ?? 'push';
  const recipients = kind === 'multicast' ? id + 2 : kind === 'push' || kind === 'reply' ? 1 : null;
  const answered = Math.floor(id / kinds.length);
  return {
    requestId: `request-${id}`,
    kind,
    unit: null,
    recipients,
    // A reply within or beyond the gap after its message; the others around midnight in UTC+9, too.
    sentAt:
      kind === 'reply'
        ? messageOf(answered).at + 120_000 + late * 400_000
        : firstAt + id * 2 * 3_600_000 + late * 3_600_000,
    person: kind === 'push' && id % 2 === 0 ? personOf(id) : null,
    replyTokenHash: kind === 'reply' ? hashReplyToken(`token-${answered}`) : null,
    linkSet: null,
  };
}

/** A message with a reply token; those in a group have no person. */
function messageOf(id: number) {
  return {
    at: firstAt + id * 2 * 3_600_000 + 300_000,
    person: id === 1 ? null : personOf(id),
    token: `token-${id}`,
  };
}

function personOf(id: number): string {
  return `U${createHash('sha256')
    .update(`person ${id % 3}`)
    .digest('hex')
    .slice(0, 32)}`;
}

function dayOfSnapshot(day: number): string {
  return `2026-03-0${day + 1}`;
}

function deliveryOf(one: Happening): { source: DeliverySource; body: object; receivedAt: number } {
  const receivedAt = Date.parse('2026-03-20T00:00:00Z') + ('age' in one ? one.age : 0);
  if (one.is === 'send') return { source: 'line-send', receivedAt, body: sendOf(one.id, one.late) };
  if (one.is === 'snapshot') {
    const { day, status, push, reply } = one;
    const value = status === 'ready' ? { status, apiPush: push, apiReply: reply } : { status };
    return { source: 'line-answer', receivedAt, body: { kind: 'delivery', day: dayOfSnapshot(day), value } };
  }
  if (one.is === 'statistic') {
    const value = { overview: { delivered: one.delivered }, messages: [], clicks: [] };
    return {
      source: 'line-answer',
      receivedAt,
      body: { kind: 'message-event', requestId: `request-${one.id}`, value },
    };
  }
  const { at, person, token } = messageOf(one.id);
  const source =
    person === null
      ? { type: 'group', groupId: 'C1', userId: personOf(one.id) }
      : { type: 'user', userId: person };
  const event = {
    type: 'message',
    message: { type: 'text' },
    webhookEventId: `event-${one.id}`,
    timestamp: at,
  };
  const events = [{ ...event, source, replyToken: token, mode: 'active' }];
  return { source: 'webhook', receivedAt, body: { destination: 'U1', events } };
}

type Expected = {
  outbound: Record<string, number>;
  conversations: number;
  messages: number;
  ms: number;
  sends: object;
};

/** Straight from the definitions. */
function naive(happenings: readonly Happening[]): Expected {
  const latest = (of: Happening[]) =>
    of.toSorted((a, b) => ('age' in a ? a.age : 0) - ('age' in b ? b.age : 0)).at(-1);
  const sends = [...new Set(happenings.flatMap((one) => (one.is === 'send' ? one.id : [])))].map((id) => {
    const tellings = happenings.filter((one) => one.is === 'send' && one.id === id);
    const send = sendOf(id, Math.min(...tellings.map((one) => (one.is === 'send' ? one.late : 0))));
    const told = latest(
      happenings.filter((one) => one.is === 'statistic' && one.id === id && one.delivered !== null),
    );
    const isTold = told?.is === 'statistic' && (send.kind === 'broadcast' || send.kind === 'narrowcast');
    return { ...send, recipients: isTold ? told.delivered : send.recipients };
  });
  const inbound = [...new Set(happenings.flatMap((one) => (one.is === 'message' ? one.id : [])))].map(
    messageOf,
  );
  const outbound: Record<string, number> = {};
  const amounts = { reply: 0, push: 0, broadcast: 0 };
  const add = (day: string, count: number) => {
    if (count !== 0) outbound[day] = (outbound[day] ?? 0) + count;
  };
  const told = new Set<string>();
  for (const day of [0, 1, 2]) {
    const ready = happenings.filter(
      (one) => one.is === 'snapshot' && one.day === day && one.status === 'ready',
    );
    const snapshot = latest(ready);
    if (snapshot?.is !== 'snapshot') continue;
    told.add(dayOfSnapshot(day));
    add(dayOfSnapshot(day), snapshot.push + snapshot.reply);
    amounts.reply += snapshot.reply;
    amounts.push += snapshot.push;
  }
  for (const { kind, recipients, sentAt } of sends) {
    const day = new Date(sentAt + 9 * 3_600_000).toISOString().slice(0, 10);
    if (told.has(day)) continue;
    add(day, recipients ?? 0);
    if (kind === 'reply' || kind === 'push' || kind === 'broadcast') amounts[kind] += recipients ?? 0;
  }
  const messages = [
    ...inbound.map(({ at, person }) => ({ at, person, isInbound: true })),
    ...sends.map(({ sentAt, person, replyTokenHash }) => {
      const answered = inbound.find(({ token }) => hashReplyToken(token) === replyTokenHash);
      return { at: sentAt, person: person ?? answered?.person ?? null, isInbound: false };
    }),
  ].filter(({ person }) => person !== null);
  const runs = [...Map.groupBy(messages, ({ person }) => person).values()].flatMap((ofPerson) => {
    const cut: (typeof messages)[] = [];
    for (const message of ofPerson.toSorted((a, b) => a.at - b.at)) {
      const run = cut.at(-1);
      if (run && message.at - (run.at(-1)?.at ?? 0) <= gapMs) run.push(message);
      else cut.push([message]);
    }
    return cut.filter((run) => run.some(({ isInbound }) => isInbound));
  });
  return {
    outbound,
    conversations: runs.length,
    messages: runs.reduce((sum, run) => sum + run.length, 0),
    ms: runs.reduce((sum, run) => sum + (run.at(-1)?.at ?? 0) - (run[0]?.at ?? 0), 0),
    sends: amounts,
  };
}

async function kept(sql: Sql, botId: string): Promise<Expected & { inbound: number; total: number }> {
  const days = await sql<{ zone: string; day: string; outbound: number }[]>`
    select zone, to_char(day, 'YYYY-MM-DD') as day, outbound from days
    where bot_id = ${botId} and outbound <> 0 order by days.day, zone`;
  const ofZones = [...Map.groupBy(days, ({ zone }) => zone).values()].map((ofZone) =>
    Object.fromEntries(ofZone.map(({ day, outbound }) => [day, outbound])),
  );
  for (const other of ofZones) assert.deepEqual(other, ofZones[0]);
  const figures = await readFigures(sql, botId, Date.parse('2026-03-25T00:00:00Z'));
  const line = figures?.platforms.line;
  const [total] = await sql<{ inbound: number; outbound: number }[]>`
    select inbound, outbound from totals where bot_id = ${botId} and platform = 'line'`;
  return {
    outbound: ofZones[0] ?? {},
    conversations: line?.conversations ?? 0,
    messages: line?.conversationMessages ?? 0,
    ms: line?.conversationMs ?? 0,
    sends: figures?.lineSends ?? {},
    inbound: total?.inbound ?? 0,
    total: total?.outbound ?? 0,
  };
}

test('sends, snapshots, statistics and webhooks in any order, repeated and in any batches leave the figures of the definitions', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ zone, happenings, order, batch }) => {
      const botId = `bot${bots++}`;
      await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', ${zone})`;
      await sql`
        insert into channels (bot_id, platform, secret_sealed, access_token_sealed) values (${botId}, 'line', '', '')`;
      const chance = order[Symbol.iterator]();
      const next = (): number => (chance.next().value ?? 0) / 1_000;
      const sent = [...happenings, ...happenings.filter(() => next() < 0.2)]
        .map((one) => ({ one, place: next() }))
        .sort((a, b) => a.place - b.place);
      const foldAll = async (): Promise<void> => {
        for (;;) {
          const outcome = await foldPending(sql, botId, {
            now: firstAt,
            random: randomBytes,
            countMax: batch,
          });
          assert.deepEqual(outcome.setAside, []);
          if (outcome.deliveries === 0) return;
        }
      };
      while (sent.length > 0) {
        const part = sent.splice(0, 1 + Math.floor(next() * 12)).map(({ one }) => deliveryOf(one));
        await putDeliveries(
          sql,
          part.map(({ source, body, receivedAt }) => ({
            ...{ botId, source, receivedAt },
            platform: 'line',
            body: Buffer.from(JSON.stringify(body)),
          })),
        );
        if (next() < 0.5) await foldAll();
      }
      await foldAll();
      const expected = naive(happenings);
      const inbound = new Set(happenings.flatMap((one) => (one.is === 'message' ? one.id : []))).size;
      const total = Object.values(expected.outbound).reduce((sum, count) => sum + count, 0);
      assert.deepEqual(await kept(sql, botId), { ...expected, inbound, total });
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
    }),
    // Shrinking would take longer than reading the example: each part of it goes through the database.
    { runs: 40, endOnFailure: true },
  );
});

test('a recount puts the sends of days and their outbound messages right', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'test')`;
  await sql`insert into channels (bot_id, platform, secret_sealed, access_token_sealed) values ('bot', 'line', '', '')`;
  const bodies = [0, 1, 2, 4].map((id) => Buffer.from(JSON.stringify(sendOf(id, 0))));
  const send = { botId: 'bot', platform: 'line', source: 'line-send', receivedAt: firstAt } as const;
  await putDeliveries(
    sql,
    bodies.map((body) => ({ ...send, body })),
  );
  await foldPending(sql, 'bot', { now: firstAt, random: randomBytes, countMax: 100 });
  const right = await kept(sql, 'bot');
  assert.equal(right.total, 5);
  await sql`update line_send_days set recipients = recipients + 1`;
  await sql`update totals set outbound = 99`;
  const options = { check: false, progress: () => undefined };
  assert.deepEqual(
    (await recount(sql, 'bot', options)).map(({ where }) => where),
    ['sends by day', 'totals line'],
  );
  assert.deepEqual(await kept(sql, 'bot'), right);
  assert.deepEqual(await recount(sql, 'bot', { ...options, check: true }), []);
});
