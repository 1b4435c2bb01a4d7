/**
 * The sums of an export equal the figures of the calls to the digit, for any events, repetitions, order and batches, with and
 * without LINE's snapshots.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { type ExportName, writeExport } from '../../src/exports/export.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { platformNames } from '../../src/platforms/platform.ts';
import { availablePoints } from '../../src/points/balances.ts';
import { averageMessages, averageSeconds } from '../../src/reports/rates.ts';
import { type PlatformFigures, readFigures } from '../../src/reports/totals.ts';
import { addTags } from '../../src/tags/tags.ts';
import { dayOf, lineDayStart } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { earn, spend } from '../harness/points.ts';
import { holds } from '../harness/property.ts';
import { bodyOf } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, reportedEvents } from './events.ts';

const now = Date.parse('2027-02-01T00:00:00Z');
const day = fc.constantFrom('2026-03-01', '2026-03-02', '2026-03-08', '2026-03-29');

const plan = fc.record({
  zone: fc.constantFrom('Asia/Taipei', 'America/New_York', 'Australia/Lord_Howe'),
  events: fc.array(reportedEvents(anchors), { minLength: 1, maxLength: 60 }),
  /** Indexes of events that are delivered again, after all others. */
  repetitions: fc.array(fc.nat({ max: 59 }), { maxLength: 15 }),
  batch: fc.integer({ min: 1, max: 20 }),
  delivered: fc.dictionary(day, fc.integer({ min: 0, max: 9 })),
  followers: fc.option(fc.tuple(day, fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 50 }))),
  points: fc.array(
    fc.record({
      contact: fc.nat({ max: 9 }),
      amount: fc.integer({ min: -60, max: 100 }).filter((amount) => amount !== 0),
      expires: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
});

test('the sums of every export equal the figures of the calls', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ zone, events, repetitions, batch, delivered, followers, points }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, zone);
      const distinctEvents = consistent(events);
      const deliveries = [...distinctEvents, ...repetitions.flatMap((index) => distinctEvents[index] ?? [])];
      await putDeliveries(
        sql,
        deliveries.map((event) => ({
          botId,
          platform: event.platform,
          source: 'webhook',
          body: Buffer.from(bodyOf(event)),
          receivedAt: now,
        })),
      );
      await foldAll(sql, botId, { batch, folds: 1 });
      for (const [day, apiPush] of Object.entries(delivered)) {
        const value = { status: 'ready', apiPush };
        await putSnapshot(sql, { botId, kind: 'delivery', day, value, receivedAt: now });
      }
      if (followers) {
        const [day, count, blocks] = followers;
        const value = { status: 'ready', followers: count, blocks, targetedReaches: count };
        await putSnapshot(sql, { botId, kind: 'followers', day, value, receivedAt: now });
      }
      const contactIds = await writePointsAndTags(sql, botId, points);
      await compare(sql, botId, { zone, followers, contactIds });
    }),
    { runs: 50 },
  );
});

async function writePointsAndTags(
  sql: Sql,
  botId: string,
  points: readonly { contact: number; amount: number; expires: boolean }[],
): Promise<string[]> {
  const rows = await sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts
    where bot_id = ${botId} and merged_into is null order by platform, platform_contact_id`;
  const contactIds = rows.map(({ contactId }) => contactId);
  if (contactIds.length === 0) return [];
  for (const [index, { contact, amount, expires }] of points.entries()) {
    const contactId = contactIds[contact % contactIds.length] ?? '';
    const change = { botId, contactId, key: `k${index}`, amount: Math.abs(amount) };
    // Points that expire do so before the export, and no writer has recorded it.
    const expiresAt = expires ? now - 1 : null;
    const at = { now: now - 10 };
    if (amount > 0) await earn(sql, { ...change, expiresAt }, at);
    else await spend(sql, change, at).catch((error) => assert.equal(error.code, 'POINTS_INSUFFICIENT'));
  }
  const tags = contactIds.slice(0, points.length).map((contactId) => ({ contactId, tag: 'VIP' }));
  await sql.begin((tx) => addTags(tx, { botId, tags }, { now, random: randomBytes }));
  return contactIds;
}

type Line = Record<string, string>;

async function compare(
  sql: Sql,
  botId: string,
  {
    zone,
    followers,
    contactIds,
  }: { zone: string; followers: [string, number, number] | null; contactIds: string[] },
): Promise<void> {
  const exportLines = (what: ExportName) => readLines(sql, botId, what);
  const calls = await readFigures(sql, botId, now);
  assert.ok(calls);
  const [contacts, conversations, messages, figures, entries, events] = await Promise.all(
    (['contacts', 'conversations', 'messages', 'figures', 'points', 'events'] as const).map(exportLines),
  );
  for (const platform of platformNames) {
    const of = (lines: Line[] = []) => lines.filter((line) => line.platform === platform);
    const call: PlatformFigures = calls.platforms[platform];
    const message = JSON.stringify({ platform, zone });
    for (const lines of [of(messages), of(figures)])
      assert.equal(sum(lines, 'inbound') + sum(lines, 'outbound'), call.messages, message);
    assert.equal(count(of(contacts), { tags: 'VIP' }), call.taggedContacts, message);
    const lines = of(conversations);
    const sums = {
      conversations: lines.length,
      conversationMessages: sum(lines, 'messages'),
      conversationMs: sum(lines, 'duration_ms'),
    };
    assert.equal(averageMessages({ ...call, ...sums }), averageMessages(call), message);
    assert.equal(averageSeconds({ ...call, ...sums }), averageSeconds(call), message);
    assert.deepEqual({ ...call, ...sums }, call, message);
    const counts = {
      followers: count(of(contacts), { follower: 'true' }),
      blocks: count(of(contacts), { blocked: 'true' }),
    };
    // After a day that LINE has reported, earlier friends add no follower and remove no block.
    const firsts = platform === 'line' && followers !== null ? firstFollows(of(events)) : [];
    const after = (day: string) => firsts.filter((line) => (line.happened_day ?? '') > day);
    const earlier = after(followers?.[0] ?? '').filter(({ kind, detail }) => kind === 'unfollow' || detail);
    const blockers = earlier.filter(({ kind }) => kind === 'follow');
    assert.deepEqual(
      { followers: sum(of(figures), 'followers'), blocks: sum(of(figures), 'blocks') },
      { followers: counts.followers - earlier.length, blocks: counts.blocks - blockers.length },
      message,
    );
    if (platform !== 'line' || followers === null) {
      assert.deepEqual({ followers: call.followers, blocks: call.blocks }, counts, message);
    } else {
      // LINE also counts friends from before the connection. The call is LINE's number plus the follows after it.
      const since = lineDayStart(followers[0]) + 86_400_000;
      const later = firsts.filter(
        ({ kind, detail, happened_at = '' }) =>
          kind === 'follow' && !detail && Date.parse(happened_at) >= since,
      );
      assert.equal(call.followers, followers[1] + later.length, message);
    }
    // LINE's outbound messages have no events; LINE reports their sums by day.
    const messageEvents = of(events).filter(({ kind }) => kind === 'message-in' || kind === 'message-out');
    const outside = platform === 'line' ? sum(of(messages), 'outbound') : 0;
    assert.equal(messageEvents.length + outside, call.messages, message);
    for (const line of messageEvents)
      assert.equal(line.happened_day, dayOf(Date.parse(line.happened_at ?? ''), zone));
  }
  const available = await availablePoints(sql, { botId, contactIds, now });
  assert.equal(contacts?.length, contactIds.length);
  for (const line of contacts ?? []) {
    const ofContact = (entries ?? []).filter((entry) => entry.contact_id === line.contact_id);
    assert.equal(Number(line.points), available.get(line.contact_id ?? ''));
    assert.equal(sum(ofContact, 'amount'), Number(line.points_balance));
    assert.equal(ofContact.at(-1)?.balance_after ?? '0', line.points_balance);
  }
}

/** The event of each contact's first follow. At the same time a new friend's follow ranks first, then an unfollow. */
function firstFollows(events: readonly Line[]): Line[] {
  const rank = ({ kind, detail }: Line) => (kind === 'unfollow' ? 1 : detail ? 2 : 0);
  const timeOf = (line: Line) => Date.parse(line.happened_at ?? '');
  const follows = events.filter(({ kind }) => kind === 'follow' || kind === 'unfollow');
  return [...Map.groupBy(follows, ({ contact_id }) => contact_id).values()].flatMap((same) =>
    same.toSorted((a, b) => timeOf(a) - timeOf(b) || rank(a) - rank(b)).slice(0, 1),
  );
}

async function readLines(sql: Sql, botId: string, what: ExportName): Promise<Line[]> {
  const pieces: string[] = [];
  await writeExport(
    sql,
    { botId, what, format: 'csv', bom: false, from: undefined, to: undefined },
    { now, signal: new AbortController().signal, write: async (piece) => void pieces.push(piece) },
  );
  return parse(pieces.join(''), { columns: true });
}

function sum(lines: readonly Line[], column: string): number {
  return lines.reduce((sum, line) => sum + Number(line[column]), 0);
}

function count(lines: readonly Line[], condition: Line): number {
  const [[column = '', value] = []] = Object.entries(condition);
  return lines.filter((line) => line[column] === value).length;
}
