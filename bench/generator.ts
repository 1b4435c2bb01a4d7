/**
 * The load generator: a process of its own that is told jobs by its parent, runs them one by one, and answers with figures.
 */
import { pino } from 'pino';
import { openDatabase } from '../src/database/open.ts';
import { type LineChannel, lineRequest, type Stretch } from './line-deliveries.ts';
import { get, type LoadResult, load, post, summary } from './load.ts';
import { pointsBySql } from './points-sql.ts';

/** A GET when there is no body, else a POST. */
export type Call = { path: string; headers: Record<string, string>; body: string | null };

type Common = { connections: number; durationMs: number };
export type Job =
  /** Signed LINE deliveries, each made and signed when it is sent. */
  | (Common & { kind: 'deliveries'; port: number; channel: LineChannel; stretch: Stretch })
  /** The same calls over and over. */
  | (Common & { kind: 'calls'; port: number; calls: Call[] })
  /** The points of lists of contacts by bare SQL, so many at a time over a pool like the server's. */
  | (Common & { kind: 'points-sql'; dataFolder: string; botId: string; lists: string[][]; poolSize: number });

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
  if (job.kind === 'deliveries') {
    return load({ ...job, request: (n) => lineRequest(job.channel, job.stretch, n) });
  }
  const requests = job.calls.map(({ path, headers, body }) =>
    body === null ? get(path, headers) : post(path, headers, body),
  );
  return load({ ...job, request: (n) => requests[n % requests.length] ?? Buffer.alloc(0) });
}

async function runPointsSql(job: Job & { kind: 'points-sql' }): Promise<LoadResult> {
  const { dataFolder, botId, lists, poolSize, connections, durationMs } = job;
  const log = pino({ level: 'silent' });
  const options = {
    databaseUrl: null,
    dataFolder,
    max: poolSize,
    applicationName: 'shoal bench points',
    log,
  };
  const database = await openDatabase(options);
  const latencies: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - startedAt < durationMs) {
      const sentAt = performance.now();
      await pointsBySql(database.sql, botId, lists[sent++ % lists.length] ?? []);
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
