/** Restarts: with many pending deliveries, and by SIGTERM under load. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import { watchMemory } from '../../bench/watch.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { lineSignature } from '../../tests/harness/fixtures.ts';
import { lineBody, lineSecret } from '../../tests/harness/webhooks.ts';
import { Failure } from '../part.ts';
import { until, type World } from '../world/world.ts';
import type { Fault } from './fault.ts';
import { memoryEveryMs } from './peers.ts';

const inOneCommit = 500;
const people = 5_000;
const firstAt = Date.parse('2026-03-01T00:00:00+08:00');
const workerMegabytesMax = 700;

export const pendingDeliveries: Fault = {
  name: 'restart with pending deliveries',
  seconds: { full: 1, quick: 1 },
  async run({ world, proving, count }) {
    const deliveries = proving.isQuick ? 5_000 : 500_000;
    await world.kill('worker');
    const botId = await addBot(world);
    for (let first = 0; first < deliveries; first += inOneCommit) {
      const bodies = Array.from({ length: inOneCommit }, (_, index) => {
        const number = first + index;
        const event = {
          id: `pending-${number}`,
          user: `person-${number % people}`,
          at: firstAt + number * 1_000,
        };
        return Buffer.from(lineBody([{ type: 'message', ...event }]));
      });
      const common = { botId, platform: 'line', source: 'webhook', receivedAt: Date.now() } as const;
      await putDeliveries(
        world.sql,
        bodies.map((body) => ({ ...common, body })),
      );
    }
    const startedAt = performance.now();
    await world.start('worker');
    const memory = watchMemory(world.pid('worker'), memoryEveryMs);
    const perMinute = 60_000;
    const msMax = 60_000 + (deliveries / perMinute) * 60_000;
    for (;;) {
      const left = await world.sql`select from pending_bundles where bot_id = ${botId} limit 1`;
      if (left.length === 0) break;
      if (performance.now() - startedAt > msMax)
        throw new Failure(`${deliveries} pending deliveries were not counted in time`);
      await pause(100);
    }
    const [row] = await world.sql<{ inbound: number }[]>`
      select inbound::integer as inbound from totals where bot_id = ${botId} and platform = 'line'`;
    if (row?.inbound !== deliveries)
      throw new Failure(`${deliveries} deliveries were pending, but counted are ${row?.inbound}`);
    const differences = await recount(world.sql, botId, { check: true, progress: () => undefined });
    if (differences.length > 0)
      throw new Failure('recount --check found differences', differences.slice(0, 5));
    count('deliveries', deliveries);
    const seconds = (performance.now() - startedAt) / 1_000;
    proving.measure({
      what: `from the start until ${deliveries} pending deliveries are counted and compared`,
      value: seconds,
      unit: 's',
    });
    proving.measure({
      what: `largest memory of the worker with ${deliveries} pending deliveries`,
      value: Math.round(Math.max(...(await memory.end()))),
      unit: 'MB',
      most: workerMegabytesMax,
    });
  },
};

async function addBot({ sql, secretKey }: World): Promise<string> {
  const keys = await openKeys({ secretKey, dataFolder: '', random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  const { botId } = await createBot(sql, { name: 'pending', timeZone: 'Asia/Taipei' }, making);
  await setChannel(sql, { botId, platform: 'line', secret: lineSecret }, making);
  return botId;
}

const clients = 10;
const requestsBefore = 100;

/** Clients that reuse connections, as a proxy does, lose no request that they began. */
export const sigterm: Fault = {
  name: 'SIGTERM under load',
  seconds: { full: 1, quick: 1 },
  async run({ world, load, proving, count }) {
    const { address, botId } = world;
    const statuses = new Map<number, number>();
    let isReady = true;
    let sent = 0;
    const watch = async (): Promise<void> => {
      while (isReady) {
        isReady = await fetch(`${address}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        );
        await pause(10);
      }
    };
    const send = async (): Promise<void> => {
      while (isReady) {
        const client = new Client(address, { pipelining: 1 });
        for (let isOpen = true; isOpen && isReady; ) {
          sent += 1;
          const id = `sigterm-${proving.seed}-${proving.isQuick}-${sent}-${randomBytes(4).toString('hex')}`;
          const body = lineBody([{ type: 'message', id, user: `person-${sent % 40}`, at: firstAt }]);
          load.deliveries.note(`line ${id}`, false);
          const headers = { ...lineSignature(body, lineSecret), 'content-type': 'application/json' };
          const answer = await client.request({
            method: 'POST',
            path: `/webhooks/${botId}/line`,
            headers,
            body,
          });
          await answer.body.dump();
          statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
          if (answer.statusCode === 200) load.deliveries.note(`line ${id}`, true);
          isOpen = answer.headers.connection !== 'close';
        }
        await client.close();
      }
    };
    const sending = Promise.all(Array.from({ length: clients }, send));
    const watching = watch();
    await until('requests are answered', () => sent >= requestsBefore);
    const code = await world.stop('web');
    await watching;
    await sending.catch((error: unknown) => {
      throw new Failure(`a request that was begun failed: ${error}`, Object.fromEntries(statuses));
    });
    await world.start('web');
    const others = [...statuses.keys()].filter((status) => status !== 200);
    if (code !== 0 || others.length > 0)
      throw new Failure(`SIGTERM ended with code ${code}`, Object.fromEntries(statuses));
    count('requests', statuses.get(200));
    const workerCode = await world.stop('worker');
    if (workerCode !== 0) throw new Failure(`SIGTERM ended the worker with code ${workerCode}`);
    await world.start('worker');
  },
};
