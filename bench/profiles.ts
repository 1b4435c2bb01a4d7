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
import { cpuOf, postmasterOf } from './cpu.ts';
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
/** More pairs than runs, because the difference is smaller than the noise of one. An odd number has a middle one. */
const pairsOf = (runs: number) => 2 * runs + 1;
const microseconds = 1_000_000;
const warmUpMs = 2_000;
const perSecond = Number(options.profileCallsPerSecond.default);

export async function measureProfiles(measuring: Measuring): Promise<Line[]> {
  const bare = await measuring.stage.startBare();
  return [...(await foldDuringFetches(measuring, bare)), await verifiedCaller(measuring, bare)];
}

/** Events per second, and µs of CPU of this process and PostgreSQL for each event. */
type Folded = { rate: number; cpu: number };

/** Throws if no profile was fetched. */
async function foldDuringFetches({ stage, plan, say }: Measuring, bare: BareServer): Promise<Line[]> {
  const { sql, dataFolder } = stage;
  const keys = await openKeys({ secretKey: null, dataFolder, random: randomBytes });
  const postmaster = await postmasterOf(sql);
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
  const cpuSeconds = async () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / microseconds + (await cpuOf(postmaster));
  };
  const fold = async (run: number, isFetching: boolean): Promise<Folded> => {
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
      const before = await cpuSeconds();
      const rate = await foldInbox(sql, plan.foldDeliveries);
      const cpu = (await cpuSeconds()) - before;
      return { rate, cpu: (cpu * microseconds) / plan.foldDeliveries };
    } finally {
      await fetcher?.stop();
      // So that a later fetcher asks about the people of its own run only.
      await sql`update channels set enabled = false where bot_id = ${botId}`;
    }
  };
  const pairs = await inPairs(
    pairsOf(plan.runs),
    (run) => fold(run, true),
    (run) => fold(run, false),
    (during, alone) => {
      say(`fold ${Math.round(alone.rate)}/s alone, ${Math.round(during.rate)}/s while profiles are fetched`);
      say(`CPU ${alone.cpu.toFixed(1)} µs alone, ${during.cpu.toFixed(1)} µs while profiles are fetched`);
    },
  );
  if (fetched === 0) throw new Error('no profile was fetched during the fold');
  const what = `an inbox of ${plan.foldDeliveries.toLocaleString('en-US')} deliveries, while the profiles of their new people are fetched`;
  const note = `${fetched} profiles were fetched, at most ${perSecond} a second, from a host that answers at once`;
  const line = (figure: keyof Folded) => ({
    values: pairs.map(([during]) => during[figure]),
    against: {
      what: 'the same fold, and no profile is fetched',
      values: pairs.map(([, alone]) => alone[figure]),
    },
    ratios: pairs.map(([during, alone]) => during[figure] / alone[figure]),
    note,
  });
  return [
    {
      what: `events folded from ${what}`,
      unit: '/s',
      ...line('rate'),
      target: { statistic: 'median', sense: 'at least', bound: 0.95 },
    },
    {
      what: `CPU time of Shoal and PostgreSQL for an event of ${what}`,
      unit: 'µs',
      ...line('cpu'),
      target: { statistic: 'median', sense: 'at most', bound: 1.05 },
    },
  ];
}

/** Measures two sides in turn, and begins with the other side each time, so that a drift of the machine falls on both. The first pair warms up. */
async function inPairs<Value>(
  count: number,
  measure: (run: number) => Promise<Value>,
  reference: (run: number) => Promise<Value>,
  onPair: (measured: Value, reference: Value) => void,
): Promise<[measured: Value, reference: Value][]> {
  const pairs: [Value, Value][] = [];
  for (let run = 0; run <= count; run++) {
    const first = run % 2 === 0 ? await measure(run) : null;
    const other = await reference(run);
    const measured = first ?? (await measure(run));
    if (run === 0) continue;
    pairs.push([measured, other]);
    onPair(measured, other);
  }
  return pairs;
}

async function verifiedCaller({ stage, plan, say }: Measuring, bare: BareServer): Promise<Line> {
  const { botId } = await stage.addBot('callers');
  const keys = await openKeys({ secretKey: null, dataFolder: stage.dataFolder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  const channel = { botId, platform: 'line', secret: channelSecret } as const;
  await setChannel(stage.sql, { ...channel, channelId: verifiedChannelId, accessToken }, making);
  const server = await stage.startServer('--line-api', `http://127.0.0.1:${bare.port}`);
  let pairs: [verified: number, known: number][] = [];
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
    pairs = await inPairs(
      pairsOf(plan.runs),
      () => p50(unknownToken, plan.latencyMs),
      () => p50(accessToken, plan.latencyMs),
      (verified, known) =>
        say(`a verified token ${verified.toFixed(2)} ms, a known one ${known.toFixed(2)} ms`),
    );
  } finally {
    await server.stop();
  }
  return {
    what: "a call through the gateway with a token that LINE verified at the caller's first call, p50",
    unit: 'ms',
    values: pairs.map(([verified]) => verified),
    against: {
      what: "p50 of the same call with the channel's own token",
      values: pairs.map(([, known]) => known),
    },
    ratios: pairs.map(([verified, known]) => verified / known),
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
