/**
 * Random events for property tests, and their way into the figures.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { foldPending } from '../harness/fold.ts';
import type { ReportedEvent } from './bodies.ts';

/** Around midnight in several zones, and around both changes of daylight saving. */
export const anchors = [
  '2026-03-01T15:00:00Z',
  '2026-03-01T16:00:00Z',
  '2026-03-08T07:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-11-01T06:00:00Z',
].map((text) => Date.parse(text));

/** One event near one of the instants (ms). */
export function reportedEvents(instants: readonly number[]): fc.Arbitrary<ReportedEvent> {
  const time = fc
    .tuple(fc.constantFrom(...instants), fc.integer({ min: -6, max: 6 }), fc.constantFrom(-1, 0, 1, 1_000))
    .map(([anchor, steps, offset]) => anchor + steps * 450_000 + offset);
  return fc.oneof(
    fc.record({
      platform: fc.constant('line' as const),
      kind: fc.constantFrom('message', 'message', 'follow', 'unfollow', 'group-message' as const),
      id: fc.integer({ min: 0, max: 40 }),
      person: fc.integer({ min: 0, max: 3 }),
      at: time,
      isUnblocked: fc.boolean(),
    }),
    fc.record({
      platform: fc.constantFrom('facebook' as const, 'instagram' as const),
      kind: fc.constantFrom('message', 'message', 'echo', 'postback' as const),
      id: fc.integer({ min: 0, max: 40 }),
      person: fc.integer({ min: 0, max: 3 }),
      at: time,
    }),
    fc.record({
      platform: fc.constant('liveChat' as const),
      kind: fc.constantFrom('message', 'message', 'echo' as const),
      id: fc.integer({ min: 0, max: 40 }),
      person: fc.integer({ min: 0, max: 3 }),
      at: time,
    }),
    fc.record({
      platform: fc.constant('whatsapp' as const),
      kind: fc.constantFrom('message', 'message', 'sent', 'delivered', 'read', 'failed' as const),
      id: fc.integer({ min: 0, max: 12 }),
      person: fc.integer({ min: 0, max: 3 }),
      named: fc.constantFrom('number', 'user-id', 'both' as const),
      at: time.map((at) => Math.floor(at / 1_000) * 1_000),
    }),
  );
}

/**
 * The events with few distinct keys, so that reports of one key differ in kind, person and time. Some have no person. A LINE
 * follow always has one. The key of a live chat event contains the visitor.
 */
export function conflicting(events: readonly ReportedEvent[]): ReportedEvent[] {
  return events.map((event) => {
    const key = `k${event.id % 5}`;
    const isNameless =
      event.id % 3 === 0 &&
      event.platform !== 'liveChat' &&
      event.kind !== 'follow' &&
      event.kind !== 'unfollow';
    return { ...event, key, ...(isNameless ? { person: null } : {}) };
  });
}

/** The same id is always of the same person, named the same way; a status differs by its kind, its message does not. */
export function consistent(events: readonly ReportedEvent[]): ReportedEvent[] {
  const firsts = new Map<string, ReportedEvent>();
  const byKey = new Map<string, ReportedEvent>();
  for (const event of events) {
    const isStatus = event.platform === 'whatsapp' && event.kind !== 'message';
    const family = isStatus ? 'status' : event.kind;
    const first = firsts.get(`${event.platform} ${family} ${event.id}`) ?? event;
    firsts.set(`${event.platform} ${family} ${event.id}`, first);
    const named = 'named' in first ? { named: first.named } : {};
    const same = { ...event, person: first.person, ...named } as ReportedEvent;
    const key = `${event.platform} ${event.kind} ${event.id}`;
    if (!byKey.has(key)) byKey.set(key, same);
  }
  return [...byKey.values()];
}

/** A bot with a channel on each platform that delivers. */
export async function addBot(sql: Sql, botId: string, zone: string): Promise<void> {
  await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', ${zone})`;
  for (const platform of ['line', 'facebook', 'instagram', 'whatsapp', 'liveChat']) {
    await sql`
      insert into channels (bot_id, platform, account_id, secret_sealed)
      values (${botId}, ${platform}, ${platform === 'line' ? null : 'account'}, '')`;
  }
}

/** Folds until nothing is pending. */
export async function foldAll(
  sql: Sql,
  botId: string,
  { batch, folds, chunkSize }: { batch: number; folds: number; chunkSize?: number },
): Promise<void> {
  const work = async (): Promise<void> => {
    for (;;) {
      const outcome = await foldPending(sql, botId, {
        now: 0,
        random: randomBytes,
        countMax: batch,
        ...(chunkSize === undefined ? {} : { chunkSize }),
      });
      assert.deepEqual(outcome.setAside, []);
      const isBusy = outcome.busyBots.length > 0;
      if (!isBusy && outcome.deliveries === 0) return;
      if (isBusy) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all(Array.from({ length: folds }, work));
}
