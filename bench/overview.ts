/**
 * Reads of the dashboard: the overview and the series of a year on five platforms, for a bot with many events and one with few. Both
 * read stored counters, so they must take the same time.
 */
import { randomBytes } from 'node:crypto';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import type { Sql } from '../src/database/client.ts';
import { platformNames } from '../src/platforms/platform.ts';
import { addDays, dayOf } from '../src/time.ts';
import type { Call } from './generator.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { answerOf, onlyOk, type Server } from './stage.ts';

const daysAsked = 365;
/** The requested year and the previous one. */
const daysHeld = 2 * daysAsked;
const people = 10_000;
const warmUpMs = 2_000;
const zone = 'Asia/Taipei';

type Rig = Measuring & { server: Server; token: string };
type Bots = { large: string; small: string };

/** Throws if a response does not contain all events. */
export async function measureOverview(measuring: Measuring): Promise<Line[]> {
  const { stage, plan, say } = measuring;
  const now = Date.now();
  const { token } = await createAdminToken(
    stage.sql,
    { name: 'bench', scope: 'read', botIds: null },
    { now, random: randomBytes },
  );
  const bots: Bots = { large: '', small: '' };
  for (const [name, events] of [
    ['small', plan.eventsOfYearsSmall],
    ['large', plan.eventsOfYearsLarge],
  ] as const) {
    say(`seeding ${events} events of ${daysHeld} days`);
    bots[name] = (await stage.addBot(`overview ${name}`, platformNames)).botId;
    await seedYears(stage.sql, bots[name], { events, now });
  }
  await stage.sql`vacuum analyze`;
  const server = await stage.startServer('--admin-rate-limit', '0');
  try {
    const rig = { ...measuring, server, token };
    const today = dayOf(now, zone);
    const from = addDays(today, 1 - daysAsked);
    await check(rig, bots.large, today);
    const overview = `overview?from=${from}&to=${today}`;
    const series = `figures/series?from=${from}&to=${today}`;
    return [
      await compare(rig, bots, `overview of ${daysAsked} days`, overview),
      await compare(rig, bots, `series of ${daysAsked} days × 5 platforms`, series),
    ];
  } finally {
    await server.stop();
  }
}

async function compare(rig: Rig, bots: Bots, what: string, path: string): Promise<Line> {
  const { plan, say } = rig;
  const [large, small] = [callOf(rig, bots.large, path), callOf(rig, bots.small, path)];
  const values: number[] = [];
  const references: number[] = [];
  for (const call of [small, large]) await latency(rig, call, warmUpMs);
  for (let run = 0; run < plan.runs; run++) {
    references.push(await latency(rig, small, plan.latencyMs));
    values.push(await latency(rig, large, plan.latencyMs));
    say(`${what} ${values.at(-1)?.toFixed(3)} ms, few events ${references.at(-1)?.toFixed(3)} ms`);
  }
  return {
    what: `${what}, median latency, ${plan.eventsOfYearsLarge.toLocaleString('en-US')} events`,
    unit: 'ms',
    values,
    against: {
      what: `the same with ${plan.eventsOfYearsSmall.toLocaleString('en-US')} events`,
      values: references,
    },
    ratios: values.map((value, run) => value / (references[run] ?? 0)),
    target: { statistic: 'median', sense: 'at most', bound: 1.3 },
  };
}

async function latency({ stage, server }: Rig, call: Call, durationMs: number): Promise<number> {
  const job = { kind: 'calls' as const, port: server.port, calls: [call], connections: 1, durationMs };
  return onlyOk(await stage.generate(job)).p50;
}

function callOf({ token }: Rig, botId: string, path: string): Call {
  return { path: `/api/v1/bots/${botId}/${path}`, headers: { authorization: `Bearer ${token}` }, body: null };
}

/** With wrong figures, the times would be meaningless. */
async function check(rig: Rig, botId: string, today: string): Promise<void> {
  const path = `overview?from=${addDays(today, 1 - daysHeld)}&to=${today}`;
  const { figures } = JSON.parse(await answerOf(rig.server, callOf(rig, botId, path)));
  const messages = figures.find(
    (one: { figure: string; platform: string }) => one.figure === 'messages' && one.platform === 'all',
  );
  if (messages.now !== rig.plan.eventsOfYearsLarge)
    throw new Error(`the overview has ${messages.now} messages`);
}

/** Messages in both directions on five platforms over two years, and the counters that a fold of them would store. */
async function seedYears(
  sql: Sql,
  botId: string,
  { events, now }: { events: number; now: number },
): Promise<void> {
  const span = daysHeld - 1;
  await sql`
    insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at)
    select ${botId}, (${platformNames as unknown as string[]}::text[])[1 + n % 5], lpad(n::text, 26, '0'),
      case when n % 3 = 0 and n % 5 <> 0 then 'message-out' else 'message-in' end, 'Person' || n % ${people}, at, at
    from generate_series(1, ${events}::integer) n
    cross join lateral (
      select ${new Date(now)}::timestamptz - interval '1 day' * (${span}::float8 * (${events}::integer - n) / ${events}::integer) as at
    ) time`;
  await sql`
    insert into hours (bot_id, platform, day, hour, inbound, outbound)
    select bot_id, platform, at::date, extract(hour from at), count(*) filter (where kind = 'message-in'),
      count(*) filter (where kind = 'message-out')
    from (select *, happened_at at time zone ${zone} as at from events where bot_id = ${botId}) message
    group by bot_id, platform, at::date, extract(hour from at)`;
  await sql`
    insert into days (bot_id, platform, zone, day, followers, inbound, outbound, conversations, conversation_messages,
      conversation_ms)
    select bot_id, platform, zone, day, 1 + sum(inbound) / 9, sum(inbound), sum(outbound), sum(inbound) / 5, sum(inbound), 60000
    from hours cross join (values (${zone}), ('Asia/Tokyo')) as kept (zone)
    where bot_id = ${botId} and (platform = 'line' or zone = ${zone})
    group by bot_id, platform, zone, day`;
  await sql`
    update totals set followers = kept.followers, inbound = kept.inbound, outbound = kept.outbound
    from (
      select platform, sum(followers) as followers, sum(inbound) as inbound, sum(outbound) as outbound from days
      where bot_id = ${botId} and zone = ${zone} group by platform
    ) kept
    where bot_id = ${botId} and totals.platform = kept.platform`;
}
