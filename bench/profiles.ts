/**
 * People and callers of LINE: the fold while the profiles of new people are fetched, compared with the fold alone; and a caller whose
 * token LINE has verified once, compared with the channel's own token.
 */
import { randomBytes } from 'node:crypto';
import { openKeys } from '../src/auth/keys.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import { options } from '../src/config.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { LineAccess } from '../src/line/access.ts';
import { LineClient } from '../src/line/line-client.ts';
import { LineProfiles } from '../src/line/people/line-profiles.ts';
import { ProfileFetcher } from '../src/profiles/fetcher.ts';
import { foldInbox, makeDeliveries } from './fold.ts';
import type { Call } from './generator.ts';
import { verifiedChannelId } from './line-deliveries.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { answerOf, type BareServer, channelSecret, onlyOk } from './stage.ts';

const accessToken = 'the-access-token-of-the-bench';
/** Has the form of LINE's tokens, and Shoal does not know it. */
const unknownToken = 'a-token-of-the-channel-that-only-line-knows';
const putSize = 500;
const warmUpMs = 2_000;
const perSecond = Number(options.profileCallsPerSecond.default);

export async function measureProfiles(measuring: Measuring): Promise<Line[]> {
  const bare = await measuring.stage.startBare();
  return [await foldDuringFetches(measuring, bare), await verifiedCaller(measuring, bare)];
}

/** Throws if no profile was fetched. */
async function foldDuringFetches({ stage, plan, say }: Measuring, bare: BareServer): Promise<Line> {
  const { sql, dataFolder } = stage;
  const keys = await openKeys({ secretKey: null, dataFolder, random: randomBytes });
  const [alone, fetching]: [number[], number[]] = [[], []];
  let fetched = 0;
  const startFetcher = () => {
    const line = new LineClient(`http://127.0.0.1:${bare.port}`);
    const access = new LineAccess(line, { clock: Date.now, onCall: () => undefined });
    const count = (_endpoint: string, outcome: string) => {
      if (outcome === 'answered') fetched += 1;
    };
    const log = { warn: () => undefined, error: (problem: unknown) => say(String(problem)) };
    const fetcher = new ProfileFetcher({
      ...{ sql, keys, clock: Date.now, log, perSecond },
      sources: [new LineProfiles(line, access, count)],
    });
    fetcher.start();
    return fetcher;
  };
  const fold = async (run: number, isFetching: boolean): Promise<number> => {
    const { botId } = await stage.addBot(`profiles ${run} ${isFetching}`);
    // The fold stores reply tokens for a channel with an access token, so both sides have one.
    const channel = { botId, platform: 'line', secret: channelSecret, accessToken } as const;
    await setChannel(sql, channel, { now: Date.now(), random: randomBytes, keys });
    const deliveries = makeDeliveries(run, plan.foldDeliveries);
    for (let start = 0; start < deliveries.length; start += putSize) {
      const part = deliveries.slice(start, start + putSize);
      await putDeliveries(
        sql,
        part.map((delivery) => ({ botId, platform: 'line', source: 'webhook', ...delivery })),
      );
    }
    await sql`vacuum analyze`;
    await stage.settle();
    const fetcher = isFetching ? startFetcher() : null;
    try {
      return await foldInbox(sql, plan.foldDeliveries);
    } finally {
      await fetcher?.stop();
      // So that a later fetcher asks about the people of its own run only.
      await sql`update channels set enabled = false where bot_id = ${botId}`;
    }
  };
  // The first round warms up both sides.
  for (let run = 0; run <= plan.runs; run++) {
    const [without, during] = [await fold(run, false), await fold(run, true)];
    if (run === 0) continue;
    alone.push(without);
    fetching.push(during);
    say(`fold ${Math.round(without)}/s alone, ${Math.round(during)}/s while profiles are fetched`);
  }
  if (fetched === 0) throw new Error('no profile was fetched during the fold');
  return {
    what: `events folded from an inbox of ${plan.foldDeliveries.toLocaleString('en-US')} deliveries, while the profiles of their new people are fetched`,
    unit: '/s',
    values: fetching,
    against: { what: 'the same fold, and no profile is fetched', values: alone },
    ratios: fetching.map((during, index) => during / (alone[index] ?? 0)),
    target: { statistic: 'median', sense: 'at least', bound: 0.95 },
    note: `${fetched} profiles were fetched, at most ${perSecond} a second, from a host that answers at once`,
  };
}

async function verifiedCaller({ stage, plan, say }: Measuring, bare: BareServer): Promise<Line> {
  const { botId } = await stage.addBot('callers');
  const keys = await openKeys({ secretKey: null, dataFolder: stage.dataFolder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  const channel = { botId, platform: 'line', secret: channelSecret } as const;
  await setChannel(stage.sql, { ...channel, channelId: verifiedChannelId, accessToken }, making);
  const server = await stage.startServer('--line-api', `http://127.0.0.1:${bare.port}`);
  const [known, verified]: [number[], number[]] = [[], []];
  const p50 = async (token: string, durationMs: number): Promise<number> => {
    const job = { kind: 'calls', port: server.port, connections: 1, calls: [callWith(token)], durationMs };
    return onlyOk(await stage.generate(job as Parameters<typeof stage.generate>[0])).p50;
  };
  try {
    // The first call lets LINE verify the token.
    for (const token of [accessToken, unknownToken]) {
      await answerOf(server, callWith(token));
      await p50(token, warmUpMs);
    }
    for (let run = 0; run < plan.runs; run++) {
      known.push(await p50(accessToken, plan.latencyMs));
      verified.push(await p50(unknownToken, plan.latencyMs));
      say(`a verified token ${verified.at(-1)?.toFixed(2)} ms, a known one ${known.at(-1)?.toFixed(2)} ms`);
    }
  } finally {
    await server.stop();
  }
  return {
    what: "a call through the gateway with a token that LINE verified at the caller's first call, p50",
    unit: 'ms',
    values: verified,
    against: { what: "p50 of the same call with the channel's own token", values: known },
    ratios: verified.map((value, index) => value / (known[index] ?? 0)),
    target: { statistic: 'median', sense: 'at most', bound: 1.1 },
  };
}

function callWith(token: string): Call {
  return {
    path: '/v2/bot/profile/U0123456789abcdef0123456789abcdef',
    headers: { authorization: `Bearer ${token}` },
    body: null,
  };
}
