/**
 * Live chat: many open widgets, messages in both directions, the time until the other side receives each, and the server's memory.
 */
import { randomBytes } from 'node:crypto';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { channelSecret, onlyOk, type Stage } from './stage.ts';
import { watchMemory } from './watch.ts';

const widgets = 2_000;
const perSecond = 200;
const noLimits = ['--chat-visitor-limit', '0', '--chat-address-limit', '0', '--admin-rate-limit', '0'];

/** Row 10. Throws if a message was lost, or is not counted exactly once. */
export async function measureChat({ stage, plan, say }: Measuring): Promise<Line[]> {
  const server = await stage.startServer(...noLimits);
  const making = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(
    stage.sql,
    { name: 'bench', scope: 'write', botIds: null },
    making,
  );
  const latencies: number[] = [];
  const memory: number[] = [];
  try {
    for (let run = 0; run < plan.runs; run++) {
      // A widget key identifies one bot, so each run has its own.
      const { botId } = await stage.addBot(`chat ${run}`, ['liveChat']);
      const widgetKey = `${channelSecret}${run}`;
      await stage.setWidgetKey(botId, widgetKey);
      await stage.settle();
      const watching = watchMemory(server.pid);
      const { p50, p99, max, requests } = onlyOk(
        await stage.generate({
          ...{ kind: 'chat', address: server.address, botId, widgetKey, adminToken: token },
          ...{ widgets, perSecond, durationMs: plan.chatMs },
        }),
      );
      memory.push(...(await watching.end()));
      await check(stage, botId, requests);
      latencies.push(p99);
      const times = `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, at most ${max.toFixed(1)} ms`;
      say(`chat: ${requests} messages, ${times}; memory at most ${Math.round(Math.max(...memory))} MB`);
    }
  } finally {
    await server.stop();
  }
  const load = `${widgets.toLocaleString('en-US')} open widgets, ${perSecond} messages a second for ${plan.chatMs / 1_000} s`;
  return [
    {
      what: `live chat, ${load}: from sending a message to hearing of it at the other side, p99`,
      unit: 'ms',
      values: latencies,
      target: { statistic: 'max', sense: 'at most', bound: 250 },
      note: 'half of them from a visitor to the business, half the other way; each is committed and synced to the disk before',
    },
    {
      what: 'the same: memory of the server process',
      unit: 'MB',
      values: memory,
      target: { statistic: 'max', sense: 'at most', bound: 400 },
      note: 'sampled each second',
    },
  ];
}

const countedMsMax = 30_000;

async function check({ sql }: Stage, botId: string, messages: number): Promise<void> {
  const endsAt = performance.now() + countedMsMax;
  for (;;) {
    const [row] = await sql<{ count: number }[]>`
      select coalesce(sum(inbound + outbound), 0)::integer as count from totals where bot_id = ${botId}`;
    if (row?.count === messages) return;
    if (performance.now() > endsAt) throw new Error(`${row?.count} messages are counted, not ${messages}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
