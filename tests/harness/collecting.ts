/**
 * The collector within the test's process: a bot with a LINE channel, a fake LINE over real HTTP, and a clock that the test
 * advances.
 */
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { callLimit } from '../../src/collector/call-limit.ts';
import { addCollections } from '../../src/collector/collections.ts';
import { Collector } from '../../src/collector/collector.ts';
import type { Sql } from '../../src/database/client.ts';
import { Worker } from '../../src/ingest/worker.ts';
import { LineAccess } from '../../src/line/access.ts';
import type { Kind } from '../../src/line/collector/kinds.ts';
import { lineChannels, lineSource } from '../../src/line/collector/line-source.ts';
import { LineClient } from '../../src/line/line-client.ts';
import type { LineTimes } from '../../src/line/line-host.ts';
import type { Clock } from '../../src/time.ts';
import { testDatabase } from './database.ts';
import { type FaultyLine, faultyLine, faultyLineToken } from './faulty-line.ts';
import { seededBytes } from './random.ts';
import { waitUntilFolded } from './server.ts';

export type Collecting = {
  sql: Sql;
  url: string;
  botId: string;
  line: FaultyLine;
  collector: Collector<Kind>;
  /** The collector's clock, in ms. */
  now: number;
  /** Calls to LINE, each with its endpoint and outcome. */
  calls: string[];
  logEntries: unknown[];
  setToken(accessToken: string): Promise<void>;
  /** Creates another collector on the same database, like that of another process. */
  addCollector(options?: Partial<{ sql: Sql; keys: Keys; line: LineClient; clock: Clock }>): Collector<Kind>;
  /** Disables the other kinds, which makes long simulated times fast. */
  only(...kinds: Kind[]): Promise<void>;
  /** Advances the clock by `ms`, collects due figures, and folds. */
  run(ms: number): Promise<void>;
  /** The snapshots by day. */
  snapshots(kind: string): Promise<Record<string, unknown>>;
};

const looksMax = 20_000;

/** Starts with a channel that has an access token; closes everything when the test ends. */
export async function collecting(
  t: TestContext,
  { now, callsPerHour = 60, times = {} }: { now: number; callsPerHour?: number; times?: Partial<LineTimes> },
): Promise<Collecting> {
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
  });
  const { sql, url } = await testDatabase(t);
  const line = await faultyLine(t);
  line.clock = () => test.now;
  const random = seededBytes(1);
  const keys: Keys = await openKeys({
    secretKey: 'a secret key for tests, long enough',
    dataFolder: '',
    random,
  });
  const creation = () => ({ now: test.now, random, keys });
  const addCollector: Collecting['addCollector'] = (options = {}) => {
    const client = options.line ?? new LineClient(line.address, times);
    stops.push(() => client.close());
    const clock = options.clock ?? (() => test.now);
    return new Collector({
      sql: options.sql ?? sql,
      source: lineSource({
        ...{ keys: options.keys ?? keys, line: client, clock },
        access: new LineAccess(client, { clock, onCall: () => undefined }),
        onCall: (endpoint, outcome) => void test.calls.push(`${endpoint} ${outcome}`),
      }),
      limit: callLimit(callsPerHour),
      clock,
      random,
      botIds: null,
      onStored: () => undefined,
      log: { info: log, warn: log, error: log },
    });
  };
  const log = (...entries: unknown[]) => void test.logEntries.push(...entries);
  const test: Collecting = {
    sql,
    url,
    botId: '',
    line,
    collector: addCollector(),
    now,
    calls: [],
    logEntries: [],
    addCollector,
    setToken: (accessToken) =>
      setChannel(sql, { botId: test.botId, platform: 'line', secret: 'secret', accessToken }, creation()),
    async only(...kinds) {
      await addCollections(sql, lineChannels, null);
      await sql`update collections set look_at = 'infinity' where kind <> all(${kinds})`;
    },
    async run(ms) {
      const until = test.now + ms;
      for (let looks = 0; ; looks += 1) {
        if (looks === looksMax) throw new Error('the collector makes no progress');
        if ((await test.collector.round()) > 0) continue;
        const next = await nextLook(sql);
        if (next === null || next > until) break;
        test.now = Math.max(next, test.now + 1);
      }
      test.now = until;
      await waitUntilFolded(sql);
    },
    async snapshots(kind) {
      const rows = await sql<{ day: string; value: unknown }[]>`
        select to_char(day, 'YYYY-MM-DD') as day, value from snapshots where kind = ${kind} order by day`;
      return Object.fromEntries(rows.map(({ day, value }) => [day, value]));
    },
  };
  const worker = new Worker(sql, {
    slots: 1,
    clock: () => test.now,
    random: seededBytes(2),
    log: pino({ level: 'silent' }),
    onFold: () => undefined,
  });
  worker.start();
  stops.push(() => worker.stop());
  test.botId = (await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, creation())).botId;
  await test.setToken(faultyLineToken);
  return test;
}

async function nextLook(sql: Sql): Promise<number | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select min(look_at) as at from collections collection
    where look_at < 'infinity' and not exists (
      select 1 from collections refused join line_tokens using (bot_id) where token_id = refused_token_id)`;
  return row?.at?.getTime() ?? null;
}
