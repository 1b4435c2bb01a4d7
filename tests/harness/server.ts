/**
 * A whole server for a test or a test file: real HTTP on a free port, with its own database and its own folder for keys.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminScope, createAdminToken } from '../../src/auth/admin-tokens.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import type { ChannelSettings } from '../../src/bots/channel-settings.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Sql } from '../../src/database/client.ts';
import { type RunningServer, type StartOptions, startServer } from '../../src/server/server.ts';
import { testDatabase } from './database.ts';
import { nowhere } from './nowhere.ts';
import { seededBytes } from './random.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

export type TestServer = {
  address: string;
  sql: Sql;
  url: string;
  keys: Keys;
  config: Config;
  /** A bot with its API pair. */
  addBot(timeZone?: string): Promise<{ botId: string; apiToken: string; apiSecret: string }>;
  addChannel(botId: string, settings: ChannelSettings): Promise<void>;
  /** Creates an admin token for all bots and returns it. Default scope: admin. */
  addToken(scope?: AdminScope): Promise<string>;
  /** Waits until nothing is pending. */
  folded(): Promise<void>;
  drain(): Promise<void>;
  /** Closes the server before the test ends. */
  close(): Promise<void>;
};

/** Starts a server and closes it when its test or file ends. */
export async function testServer(
  t: Scope,
  settings: Partial<Config> = {},
  {
    through = async (url) => url,
    ...options
  }: Omit<StartOptions, 'random'> & {
    /** The server's database URL, if it differs, such as that of a proxy. */
    through?: (databaseUrl: string) => Promise<string>;
  } = {},
): Promise<TestServer> {
  // Hooks run in the order of their registration, so the server closes before its database.
  let server: RunningServer | undefined;
  t.after(() => server?.close());
  const { sql, url } = await testDatabase(t);
  const data = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  const random = seededBytes(1);
  const config: Config = {
    ...readConfig({}, {}),
    databaseUrl: await through(url),
    data,
    port: 0,
    logLevel: 'silent',
    rateLimit: 0,
    collect: 'off',
    lineApi: nowhere,
    graphApi: nowhere,
    instagramApi: nowhere,
    ...settings,
  };
  const keys = await openKeys({ secretKey: config.secretKey, dataFolder: data, random });
  server = await startServer(config, { random, ...options });
  t.after(() => rm(data, { recursive: true, force: true }));
  return {
    address: server.address,
    sql,
    url,
    keys,
    config,
    addBot: (timeZone = 'Asia/Taipei') =>
      createBot(sql, { name: 'test', timeZone }, { now: Date.now(), random, keys }),
    async addChannel(botId, channel) {
      await setChannel(sql, { botId, ...channel }, { now: Date.now(), random, keys });
    },
    async addToken(scope = 'admin') {
      const settings = { name: 'test', scope, botIds: null };
      return (await createAdminToken(sql, settings, { now: Date.now(), random })).token;
    },
    folded: () => waitUntilFolded(sql),
    drain: async () => server?.drain(),
    close: async () => server?.close(),
  };
}

export async function waitUntilFolded(sql: Sql): Promise<void> {
  const isEmpty = async () => (await sql`select from pending_bundles limit 1`).length === 0;
  await until(isEmpty, 'all deliveries are folded');
}
