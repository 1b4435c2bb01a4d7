/**
 * A push through the gateway, which records and commits it before the response. Compared with the same push sent directly to the
 * simulated LINE, in alternation.
 */
import { randomBytes } from 'node:crypto';
import { openKeys } from '../src/auth/keys.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import type { Call } from './generator.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { channelSecret, onlyOk } from './stage.ts';

const accessToken = 'the-access-token-of-the-bench';
const warmUpMs = 2_000;
const recordedMsMax = 60_000;

/** The overhead of the gateway, for sequential and concurrent sends. Throws if a confirmed send is not recorded. */
export async function measureGateway({ stage, plan, say }: Measuring): Promise<Line[]> {
  const bot = await stage.addBot('gateway');
  const keys = await openKeys({ secretKey: null, dataFolder: stage.dataFolder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  await setChannel(
    stage.sql,
    { botId: bot.botId, platform: 'line', secret: channelSecret, accessToken },
    making,
  );
  const bare = await stage.startBare();
  const server = await stage.startServer('--line-api', `http://127.0.0.1:${bare.port}`);
  let sent = 0;
  const run = async (port: number, connections: number, durationMs = plan.latencyMs) => {
    const load = await stage
      .generate({ kind: 'calls', port, connections, calls: [push], durationMs })
      .then(onlyOk);
    if (port === server.port) sent += load.requests;
    return load;
  };
  try {
    await run(server.port, plan.connections, warmUpMs);
    await run(bare.port, plan.connections, warmUpMs);
    await stage.settle();
    const lines: Line[] = [];
    for (const connections of [1, plan.connections]) {
      const [added, straight]: [number[], number[]] = [[], []];
      for (let round = 0; round < plan.runs; round++) {
        const without = await run(bare.port, connections);
        const through = await run(server.port, connections);
        straight.push(without.p50);
        added.push(through.p50 - without.p50);
        say(
          `gateway, ${connections} at a time: ${through.p50.toFixed(2)} ms, straight ${without.p50.toFixed(2)} ms`,
        );
      }
      lines.push({
        what: `a send through the gateway, p50 added, ${connections} at a time`,
        unit: 'ms',
        values: added,
        against: { what: 'p50 of the same send directly to the simulated LINE', values: straight },
        ...(connections === 1
          ? { target: { statistic: 'median' as const, sense: 'at most' as const, bound: 5 } }
          : { note: 'a closed loop: with all connections busy, the wait in line for the cores is in it' }),
      });
    }
    await checkRecorded();
    return lines;
  } finally {
    await server.stop();
  }

  async function checkRecorded(): Promise<void> {
    const endsAt = performance.now() + recordedMsMax;
    for (;;) {
      const [row] = await stage.sql<{ count: number }[]>`
        select count(*)::integer as count from line_sends where bot_id = ${bot.botId}`;
      if (row?.count === sent) return;
      if (performance.now() > endsAt)
        throw new Error(`${sent} sends were answered, ${row?.count} are recorded`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const push: Call = {
  path: '/v2/bot/message/push',
  headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    to: 'U0123456789abcdef0123456789abcdef',
    messages: [{ type: 'text', text: 'Your order is on its way.' }],
  }),
};
