/**
 * Soak: signed deliveries at a steady rate for a long time. Answers keep WhatsApp's rule (a median of at most 250 ms, less than 1 % above
 * 1 s), memory stays flat, and no delivery is uncounted for more than 1 s.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type LineChannel, stretch } from '../../bench/line-deliveries.ts';
import type { LoadResult } from '../../bench/load.ts';
import { analysisCall, answerOf, channelSecret, onlyOk, openStage, type Stage } from '../../bench/stage.ts';
import { median, quantile } from '../../bench/statistics.ts';
import { watchAges, watchFreshness, watchMemory } from '../../bench/watch.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { Failure, type Part, type Proving } from '../part.ts';

const perSecondWanted = 3_300;
/** Of the measured intake, on a slower machine. */
const share = 0.7;
const connections = 50;
const roundsMax = 50;
const roundMsMin = 60_000;
const flatSecondsMin = 120;
const flatRatioMax = 1.1;
const countedMsMax = 120_000;
const rateMin = 0.95;

export const soak: Part = {
  name: 'soak',
  summary: 'sends deliveries at a steady rate for a long time',
  seconds: { full: 120, quick: 5 },
  run: runSoak,
};

type Soaking = { stage: Stage; port: number; channel: LineChannel; startedAt: number };

async function runSoak(proving: Proving): Promise<void> {
  const { seconds, isQuick, ends } = proving;
  const stage = await openStage({ profileFolder: null });
  ends.after(() => stage.close());
  const bot = await stage.addBot('soak');
  const server = await stage.startServer();
  const channel = { botId: bot.botId, secret: channelSecret };
  const soaking = { stage, port: server.port, channel, startedAt: Date.now() };
  const first = await send(soaking, { index: 0, durationMs: isQuick ? 1_000 : 10_000 });
  await untilCounted(stage);
  const perSecond = Math.min(perSecondWanted, Math.floor(first.perSecond * share));
  proving.say(`${Math.round(first.perSecond)} deliveries a second measured, ${perSecond} for ${seconds} s`);

  const ages = watchAges(stage.sql, channel.botId);
  const fresh = watchFreshness(stage.sql, server.address, channel, stretch(1, soaking.startedAt));
  const memory = watchMemory(server.pid);
  const roundMs = Math.min(seconds * 1_000, Math.max(roundMsMin, (seconds * 1_000) / roundsMax));
  const rounds: LoadResult[] = [];
  for (let index = 2; rounds.length === 0 || !proving.isOver(); index++)
    rounds.push(await send(soaking, { index, durationMs: roundMs, perSecond }));
  const seen = { ages: await ages.end(), fresh: await fresh.end(), memory: await memory.end() };
  await untilCounted(stage);

  const sent = [first, ...rounds].reduce((sum, { requests }) => sum + requests, 0) + seen.fresh.length;
  const answer = JSON.parse(await answerOf(server, analysisCall(bot)));
  const counted = answer.clientAnalysis.lineMessageNumbers;
  if (counted !== sent) throw new Failure(`${sent} deliveries were acknowledged, but ${counted} are counted`);
  const differences = await recount(stage.sql, bot.botId, { check: true, progress: () => undefined });
  if (differences.length > 0) throw new Failure('recount --check found differences', differences.slice(0, 5));
  proving.count('soak', 'deliveries', sent);
  proving.count('soak', 'seconds', Math.round(rounds.reduce((sum, round) => sum + round.seconds, 0)));
  report(proving, { rounds, ...seen, measured: first.perSecond, perSecond });
}

type Seen = {
  rounds: readonly LoadResult[];
  ages: readonly number[];
  fresh: readonly number[];
  memory: readonly number[];
  measured: number;
  perSecond: number;
};

function report(proving: Proving, { rounds, ages, fresh, memory, measured, perSecond }: Seen): void {
  // The short form runs while other tests do, so it compares counts only.
  const most = (bound: number) => (proving.isQuick ? {} : { most: bound });
  const ms = (what: string, value: number, bound: number) =>
    proving.measure({ what, value: Math.round(value), unit: 'ms', ...most(bound) });
  const achieved = rounds.reduce((sum, round) => sum + round.perSecond, 0) / rounds.length;
  const reason =
    perSecond < perSecondWanted ? `${share} of the measured intake of ${Math.round(measured)}` : 'as wanted';
  proving.measure({ what: `deliveries a second (${reason})`, value: achieved, unit: '/s' });
  if (!proving.isQuick && achieved < perSecond * rateMin)
    throw new Failure(`only ${Math.round(achieved)} deliveries a second were answered`, {
      wanted: perSecond,
    });
  ms('median time to the answer, of the slowest minute', Math.max(...rounds.map(({ p50 }) => p50)), 250);
  const slow = Math.max(...rounds.map(({ above1000 }) => above1000)) * 100;
  proving.measure({ what: 'answers above 1 s, in the slowest minute', value: slow, unit: '%', ...most(1) });
  ms('age of the oldest uncounted delivery, 99th percentile', quantile(ages, 0.99), 1_000);
  ms('the same, largest', Math.max(...ages), 1_000);
  ms('from the answer until counted, largest', Math.max(...fresh), 1_000);
  const fifth = Math.floor(memory.length / 5);
  const [second, last] = [median(memory.slice(fifth, 2 * fifth + 1)), median(memory.slice(-fifth - 1))];
  proving.measure({ what: 'memory of the server, last fifth of the time', value: last, unit: 'MB' });
  const isLong = proving.seconds >= flatSecondsMin;
  proving.measure({
    what: 'the same ÷ second fifth',
    value: last / second,
    unit: '',
    ...(isLong ? most(flatRatioMax) : {}),
  });
}

async function send(
  { stage, port, channel, startedAt }: Soaking,
  { index, ...more }: { index: number; durationMs: number; perSecond?: number },
): Promise<LoadResult> {
  const numbers = stretch(index, startedAt);
  return onlyOk(
    await stage.generate({ kind: 'deliveries', port, connections, channel, stretch: numbers, ...more }),
  );
}

async function untilCounted({ sql }: Stage): Promise<void> {
  const endsAt = performance.now() + countedMsMax;
  while ((await sql`select from pending_bundles limit 1`).length > 0) {
    if (performance.now() > endsAt) throw new Failure('the deliveries were not counted in time');
    await pause(20);
  }
}
