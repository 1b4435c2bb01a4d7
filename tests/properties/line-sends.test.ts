/**
 * LINE's outbound messages and conversations against a naive model. Gateway sends, LINE's snapshots and statistics, and replied
 * webhooks arrive in any order, repeatedly and in any batches. The figures always match the definitions.
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
const kinds = ['push', 'multicast', 'broadcast', 'narrowcast', 'reply', 'pnp'] as const;

type SimulatedEvent =
  | { is: 'send'; id: number; late: number }
  | { is: 'message'; id: number }
  | { is: 'snapshot'; day: number; status: 'ready' | 'unready'; push: number; reply: number; age: number }
  | { is: 'statistic'; id: number; delivered: number | null; age: number };

/** Replies are more frequent, because they depend on the order of two more inputs. */
const sendId = fc.oneof(fc.nat(17), fc.constantFrom(4, 10, 16));

const simulatedEvent: fc.Arbitrary<SimulatedEvent> = fc.oneof(
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
      id: fc.nat(17),
      delivered: fc.option(fc.nat(500)),
      age: fc.nat(1_000),
    }),
  },
);

const plan = fc.record({
  zone: fc.constantFrom('Asia/Taipei', 'Asia/Tokyo', 'America/New_York'),
  events: fc.uniqueArray(simulatedEvent, {
    minLength: 8,
    maxLength: 24,
    size: 'max',
    // Two answers of LINE about one subject at one instant have no order.
    selector: (one) => ('age' in one ? `${one.is} ${'id' in one ? one.id : one.day} ${one.age}` : one),
  }),
  order: fc.infiniteStream(fc.integer({ min: 0, max: 999 })),
  batch: fc.integer({ min: 1, max: 9 }),
});

/** A send is a function of its number: two reports of one send differ only in time. */
function sendOf(id: number, late: number) {
  const kind = kinds[id % kinds.length] ?? 'push';
  const recipients = kind === 'multicast' ? id + 2 : kind === 'broadcast' || kind === 'narrowcast' ? null : 1;
  const answered = Math.floor(id / kinds.length);
  return {
    requestId: `request-${id}`,
    kind,
    unit: null,
    recipients,
    // Replies lie within or beyond the session gap after their message. Other sends also lie around midnight in UTC+9.
    sentAt:
      kind === 'reply'
        ? messageOf(answered).at + 120_000 + late * 400_000
        : firstAt + id * 2 * 3_600_000 + late * 3_600_000,
    person: kind === 'push' && id % 2 === 0 ? personOf(id) : null,
    replyTokenHash: kind === 'reply' ? hashReplyToken(`token-${answered}`) : null,
    linkSet: null,
  };
}

/** A message with a reply token. Group messages have no person. */
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

function deliveryOf(one: SimulatedEvent): { source: DeliverySource; body: object; receivedAt: number } {
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

/** The figures by their definitions. */
function naive(events: readonly SimulatedEvent[]): Expected {
  const latest = (of: SimulatedEvent[]) =>
    of.toSorted((a, b) => ('age' in a ? a.age : 0) - ('age' in b ? b.age : 0)).at(-1);
  const sends = [...new Set(events.flatMap((one) => (one.is === 'send' ? one.id : [])))].map((id) => {
    const reports = events.filter((one) => one.is === 'send' && one.id === id);
    const send = sendOf(id, Math.min(...reports.map((one) => (one.is === 'send' ? one.late : 0))));
    const statistic = latest(
      events.filter((one) => one.is === 'statistic' && one.id === id && one.delivered !== null),
    );
    const isReported =
      statistic?.is === 'statistic' && (send.kind === 'broadcast' || send.kind === 'narrowcast');
    return { ...send, recipients: isReported ? statistic.delivered : send.recipients };
  });
  const inbound = [...new Set(events.flatMap((one) => (one.is === 'message' ? one.id : [])))].map(messageOf);
  const outbound: Record<string, number> = {};
  const amounts = { reply: 0, push: 0, broadcast: 0 };
  const add = (day: string, count: number) => {
    if (count !== 0) outbound[day] = (outbound[day] ?? 0) + count;
  };
  const reportedDays = new Set<string>();
  for (const day of [0, 1, 2]) {
    const ready = events.filter((one) => one.is === 'snapshot' && one.day === day && one.status === 'ready');
    const snapshot = latest(ready);
    if (snapshot?.is !== 'snapshot') continue;
    reportedDays.add(dayOfSnapshot(day));
    add(dayOfSnapshot(day), snapshot.push + snapshot.reply);
    amounts.reply += snapshot.reply;
    amounts.push += snapshot.push;
  }
  for (const { kind, recipients, sentAt } of sends) {
    const day = new Date(sentAt + 9 * 3_600_000).toISOString().slice(0, 10);
    if (reportedDays.has(day)) continue;
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
  const sessions = [...Map.groupBy(messages, ({ person }) => person).values()].flatMap((ofPerson) => {
    const sessionsOfPerson: (typeof messages)[] = [];
    for (const message of ofPerson.toSorted((a, b) => a.at - b.at)) {
      const session = sessionsOfPerson.at(-1);
      if (session && message.at - (session.at(-1)?.at ?? 0) <= gapMs) session.push(message);
      else sessionsOfPerson.push([message]);
    }
    return sessionsOfPerson.filter((session) => session.some(({ isInbound }) => isInbound));
  });
  return {
    outbound,
    conversations: sessions.length,
    messages: sessions.reduce((sum, session) => sum + session.length, 0),
    ms: sessions.reduce((sum, session) => sum + (session.at(-1)?.at ?? 0) - (session[0]?.at ?? 0), 0),
    sends: amounts,
  };
}

async function storedFigures(
  sql: Sql,
  botId: string,
): Promise<Expected & { inbound: number; total: number }> {
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

test('sends, snapshots, statistics and webhooks give the same figures in any order, number and batches', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ zone, events, order, batch }) => {
      const botId = `bot${bots++}`;
      await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', ${zone})`;
      await sql`
        insert into channels (bot_id, platform, secret_sealed, access_token_sealed) values (${botId}, 'line', '', '')`;
      const chance = order[Symbol.iterator]();
      const next = (): number => (chance.next().value ?? 0) / 1_000;
      const shuffledEvents = [...events, ...events.filter(() => next() < 0.2)]
        .map((one) => ({ one, rank: next() }))
        .sort((a, b) => a.rank - b.rank);
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
      while (shuffledEvents.length > 0) {
        const chunk = shuffledEvents.splice(0, 1 + Math.floor(next() * 12)).map(({ one }) => deliveryOf(one));
        await putDeliveries(
          sql,
          chunk.map(({ source, body, receivedAt }) => ({
            ...{ botId, source, receivedAt },
            platform: 'line',
            body: Buffer.from(JSON.stringify(body)),
          })),
        );
        if (next() < 0.5) await foldAll();
      }
      await foldAll();
      const expected = naive(events);
      const inbound = new Set(events.flatMap((one) => (one.is === 'message' ? one.id : []))).size;
      const total = Object.values(expected.outbound).reduce((sum, count) => sum + count, 0);
      assert.deepEqual(await storedFigures(sql, botId), { ...expected, inbound, total });
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
    }),
    // No shrinking: every attempt goes through the database, so reading the full example is faster.
    { runs: 40, endOnFailure: true },
  );
});

test('a recount corrects the daily sends and their outbound messages', async (t) => {
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
  const correct = await storedFigures(sql, 'bot');
  assert.equal(correct.total, 5);
  await sql`update line_send_days set recipients = recipients + 1`;
  await sql`update totals set outbound = 99`;
  const options = { check: false, progress: () => undefined };
  assert.deepEqual(
    (await recount(sql, 'bot', options)).map(({ where }) => where),
    ['sends by day', 'totals line'],
  );
  assert.deepEqual(await storedFigures(sql, 'bot'), correct);
  assert.deepEqual(await recount(sql, 'bot', { ...options, check: true }), []);
});
