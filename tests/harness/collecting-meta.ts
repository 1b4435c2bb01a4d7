/** The collector of Meta's figures within the test's process: a bot with three Meta channels, and the Meta simulator's clock. */
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { MetaSimulator, MetaSimulatorOptions } from '../../simulator/meta/simulator.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { connectChannel } from '../../src/channels/connect-channel.ts';
import { callLimit } from '../../src/collector/call-limit.ts';
import { addCollections } from '../../src/collector/collections.ts';
import { Collector } from '../../src/collector/collector.ts';
import type { Sql } from '../../src/database/client.ts';
import { Worker } from '../../src/ingest/worker.ts';
import { GraphClient } from '../../src/meta/graph-client.ts';
import type { MetaKind } from '../../src/meta/kinds.ts';
import { metaChannels, metaSource } from '../../src/meta/meta-source.ts';
import type { Random } from '../../src/random.ts';
import { testDatabase } from './database.ts';
import { testMetaSimulator } from './meta-simulator.ts';
import { seededBytes } from './random.ts';
import { waitUntilFolded } from './server.ts';

export type CollectingMeta = {
  sql: Sql;
  botId: string;
  keys: Keys;
  graph: GraphClient;
  simulator: MetaSimulator;
  collector: Collector<MetaKind>;
  /** Another collector on the same database, as of another process. `graph`: its client. */
  addCollector(graph?: Pick<GraphClient, 'get' | 'close'>): Collector<MetaKind>;
  /** Disables the other kinds. */
  only(...kinds: MetaKind[]): Promise<void>;
  /** Collects due figures for the time (ms), which passes in the simulator, and folds. */
  run(ms: number): Promise<void>;
  /** The stored figures of a kind by day. */
  days(kind: string): Promise<Map<string, Record<string, unknown>>>;
};

const roundsMax = 5_000;

/** Creates a bot with a page, an Instagram account and a number of the simulator, each with an access token that was checked. */
export async function metaBot(
  sql: Sql,
  { credentials }: MetaSimulator,
  { graph, ...creation }: { now: number; random: Random; keys: Keys; graph: GraphClient },
): Promise<{ botId: string }> {
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, creation);
  const { appSecret: secret, verifyToken, accessTokens } = credentials;
  const shared = { botId, secret, verifyToken };
  const access = { tokenOf: () => Promise.reject(new Error('there is no LINE')) };
  for (const channel of [
    { platform: 'facebook', accountId: credentials.pageId, accessToken: accessTokens.page },
    { platform: 'instagram', accountId: credentials.instagramId, accessToken: accessTokens.instagram },
    {
      platform: 'whatsapp',
      accountId: credentials.phoneNumberId,
      accessToken: accessTokens.whatsapp,
      businessAccountId: credentials.businessAccountId,
    },
  ] as const)
    await connectChannel(sql, { ...shared, ...channel }, { ...creation, graph, access });
  return { botId };
}

/** Starts with a page, an Instagram account and a number, each with an access token that was checked. */
export async function collectingMeta(
  t: TestContext,
  { callsPerHour = 60, ...options }: MetaSimulatorOptions & { callsPerHour?: number } = {},
): Promise<CollectingMeta> {
  const { sql } = await testDatabase(t);
  const simulator = await testMetaSimulator(t, options);
  const { control, address } = simulator;
  const random = seededBytes(1);
  const secretKey = 'a secret key for tests, long enough';
  const keys = await openKeys({ secretKey, dataFolder: '', random });
  const clock = () => control.now();
  const graph = new GraphClient({ facebook: address, instagram: address });
  t.after(() => graph.close());
  const { botId } = await metaBot(sql, simulator, { now: clock(), random, keys, graph });
  const log = pino({ level: 'silent' });
  const addCollector: CollectingMeta['addCollector'] = (client = graph) =>
    new Collector({
      ...{ sql, clock, random, log, botIds: null, limit: callLimit(callsPerHour) },
      source: metaSource({ keys, clock, graph: client, onCall: () => undefined }),
      onStored: () => undefined,
    });
  const worker = new Worker(sql, { slots: 1, clock, random: seededBytes(2), log, onFold: () => undefined });
  worker.start();
  t.after(() => worker.stop());
  const test: CollectingMeta = {
    ...{ sql, botId, keys, graph, simulator, collector: addCollector(), addCollector },
    async only(...kinds) {
      await addCollections(sql, metaChannels, null);
      await sql`update collections set look_at = 'infinity' where kind <> all (${kinds}::text[])`;
    },
    async run(ms) {
      const until = clock() + ms;
      for (let rounds = 0; rounds < roundsMax; rounds += 1) {
        if ((await test.collector.round()) > 0) continue;
        const [row] = await sql<{ at: Date | null }[]>`
          select min(look_at) as at from collections where look_at < 'infinity'`;
        const next = row?.at?.getTime() ?? until;
        const stepMs = Math.max(1, Math.min(next, until) - clock());
        if (clock() >= until) break;
        await control.run({ seconds: Math.ceil(stepMs / 1_000), stepMinutes: 1_440 });
      }
      await waitUntilFolded(sql);
    },
    async days(kind) {
      const rows = await sql<{ day: string; value: Record<string, unknown> }[]>`
        select to_char(day, 'YYYY-MM-DD') as day, value from platform_days where kind = ${kind} order by day`;
      return new Map(rows.map(({ day, value }) => [day, value]));
    },
  };
  return test;
}
