/**
 * The start of a server with many bots: from the spawn of `shoal serve` to the first 200 of /readyz. The start of the embedded
 * PostgreSQL is part of it, and the compile cache is warm.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { openKeys } from '../src/auth/keys.ts';
import { createBot } from '../src/bots/bots.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import { openDatabase } from '../src/server/open-database.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { channelSecret, type Stage } from './stage.ts';

const bots = 3_000;
const readyMsMax = 30_000;
const lookMs = 5;

/** Throws if the server is not ready in time. */
export async function measureStart({ stage, plan, say }: Measuring): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-start-'));
  // PostgreSQL does not run as root. Its own user needs access to this folder.
  await chmod(folder, 0o755);
  try {
    const dataFolder = join(folder, 'data');
    say(`creating ${bots} bots with a LINE channel`);
    await addBots(dataFolder);
    // The first start fills the compile cache.
    await startOnce(stage, dataFolder);
    const values: number[] = [];
    for (let run = 0; run < plan.runs; run++) {
      values.push(await startOnce(stage, dataFolder));
      say(`ready after ${Math.round(values.at(-1) ?? 0)} ms`);
    }
    return [
      {
        what: `start with ${bots.toLocaleString('en-US')} bots and the embedded database, until /readyz answers 200`,
        unit: 'ms',
        values,
        target: { statistic: 'median', sense: 'at most', bound: 2_000 },
        note: 'PostgreSQL starts with the server; the compile cache is warm',
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function addBots(dataFolder: string): Promise<void> {
  const log = pino({ level: 'silent' });
  const options = { databaseUrl: null, dataFolder, max: 4, applicationName: 'shoal bench', log };
  const database = await openDatabase(options);
  try {
    const { sql } = database;
    const keys = await openKeys({ secretKey: null, dataFolder, random: randomBytes });
    const making = { now: Date.now(), random: randomBytes, keys };
    for (let index = 0; index < bots; index++) {
      const { botId } = await createBot(sql, { name: `bot ${index}`, timeZone: 'Asia/Taipei' }, making);
      await setChannel(sql, { botId, platform: 'line', secret: channelSecret }, making);
    }
  } finally {
    await database.close();
  }
}

/** Milliseconds from the spawn until the server is ready. Stops the server, and PostgreSQL with it. */
async function startOnce(stage: Stage, dataFolder: string): Promise<number> {
  const startedAt = performance.now();
  const server = await stage.startServer('--data', dataFolder);
  try {
    while (performance.now() - startedAt < readyMsMax) {
      const { status } = await fetch(`${server.address}/readyz`);
      if (status === 200) return performance.now() - startedAt;
      await pause(lookMs);
    }
    throw new Error('the server was not ready in time');
  } finally {
    await server.stop();
  }
}
