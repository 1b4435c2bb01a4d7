/**
 * The load generator: a process that runs jobs from its parent one by one, and returns figures.
 */
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { batchedWrites } from '../src/points/batched-writes.ts';
import { openDatabase } from '../src/server/open-database.ts';
import { type ChatLoad, loadChat } from './chat-load.ts';
import { type LineChannel, lineRequest, type Stretch } from './line-deliveries.ts';
import { get, type LoadResult, load, post, summary } from './load.ts';
import { pointsBySql } from './points-sql.ts';

/** A GET without a body, otherwise a POST. */
export type Call = { path: string; headers: Record<string, string>; body: string | null };

type Common = { connections: number; durationMs: number };
export type Job =
  /** LINE deliveries, created and signed when they are sent. */
  | (Common & {
      kind: 'deliveries';
      port: number;
      channel: LineChannel;
      stretch: Stretch;
      /** Further bots with the same secret: the deliveries go to all of them in turn. */
      botIds?: string[];
      requestsMax?: number;
      perSecond?: number;
    })
  /** The same calls repeatedly. */
  | (Common & { kind: 'calls'; port: number; calls: Call[] })
  /** The points of lists of contacts by plain SQL, through a pool like the server's. */
  | (Common & { kind: 'points-sql'; dataFolder: string; botId: string; lists: string[][]; poolSize: number })
  /** Open widgets, and messages in both directions. */
  | (ChatLoad & { kind: 'chat' })
  /** Transfers of one point between the contacts, back and forth, as the server does them. `keys` is the prefix of each key. */
  | (Common & { kind: 'transfers'; dataFolder: string; botId: string; contactIds: string[]; keys: string });

export type Answer = { result: LoadResult } | { error: string };

if (process.send) {
  process.on('disconnect', () => process.exit());
  process.on('message', (job: Job) => {
    run(job).then(
      (result) => answer({ result }),
      (error: unknown) =>
        answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

function answer(message: Answer): void {
  process.send?.(message);
}

async function run(job: Job): Promise<LoadResult> {
  if (job.kind === 'points-sql') return runPointsSql(job);
  if (job.kind === 'chat') return loadChat(job);
  if (job.kind === 'transfers') return runTransfers(job);
  if (job.kind === 'deliveries') {
    const { channel, stretch, botIds = [channel.botId] } = job;
    const channelOf = (n: number) => ({ ...channel, botId: botIds[n % botIds.length] ?? '' });
    return load({ ...job, request: (n) => lineRequest(channelOf(n), stretch, n) });
  }
  const requests = job.calls.map(({ path, headers, body }) =>
    body === null ? get(path, headers) : post(path, headers, body),
  );
  return load({ ...job, request: (n) => requests[n % requests.length] ?? Buffer.alloc(0) });
}

function runPointsSql(job: Job & { kind: 'points-sql' }): Promise<LoadResult> {
  const { botId, lists } = job;
  return runOnDatabase(job, (sql) => (n) => pointsBySql(sql, botId, lists[n % lists.length] ?? []));
}

/** Steps without a common divisor, so that every pair of contacts occurs in both directions. */
const fromStep = 7;
const distanceStep = 11;

function runTransfers(job: Job & { kind: 'transfers' }): Promise<LoadResult> {
  const { botId, contactIds, keys, connections } = job;
  const count = contactIds.length;
  return runOnDatabase({ ...job, poolSize: connections }, (sql) => {
    const write = batchedWrites(sql);
    return (n) => {
      const from = (n * fromStep) % count;
      const to = (from + 1 + ((n * distanceStep) % (count - 1))) % count;
      const named = {
        contactId: contactIds[from] ?? '',
        toContactId: contactIds[to] ?? '',
        key: `${keys} ${n}`,
      };
      return write(botId, { kind: 'transfer', amount: 1, ...named }, { now: Date.now() });
    };
  });
}

/** Concurrent callers that each send the next request after a response. The n-th request is `ask(n)`. */
async function runOnDatabase(
  { dataFolder, poolSize, connections, durationMs }: Common & { dataFolder: string; poolSize: number },
  open: (sql: Sql) => (n: number) => Promise<unknown>,
): Promise<LoadResult> {
  const log = pino({ level: 'silent' });
  const applicationName = 'shoal bench generator';
  const database = await openDatabase({ databaseUrl: null, dataFolder, max: poolSize, applicationName, log });
  const ask = open(database.sql);
  const latencies: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - startedAt < durationMs) {
      const sentAt = performance.now();
      await ask(sent++);
      latencies.push(performance.now() - sentAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, loop));
    return summary(latencies, {}, (performance.now() - startedAt) / 1_000);
  } finally {
    await database.close();
  }
}
