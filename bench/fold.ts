/**
 * The fold: the worker turns queued deliveries into events and figures. Compared with inserts of the same events, in batches of the
 * same size, into a table with the same columns and key.
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import type { FoldOutcome } from '../src/ingest/fold-outcome.ts';
import { Worker } from '../src/ingest/worker.ts';
import { line } from '../src/platforms/line.ts';
import { inPortions } from '../src/random.ts';
import { lineDelivery, stretch } from './line-deliveries.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import type { Stage } from './stage.ts';

type Stored = { body: Buffer; receivedAt: number };

const putSize = 500;
/** The worker's largest batch (src/ingest/worker.ts). */
const batchSize = 3_000;
const outcomeMsMax = 300_000;
const dayMs = 86_400_000;

/** Row 6: folded events per second compared with inserted events per second, for one bot and for several. */
export async function measureFold({ stage, plan, say }: Measuring): Promise<Line[]> {
  await stage.sql`create schema bench`;
  await stage.sql`
    create table bench.events (like public.events including defaults, primary key (bot_id, platform, key))
      -- Its vacuum would fall into the time of the fold that is measured next.
      with (autovacuum_enabled = off)`;
  const lines: Line[] = [];
  for (const bots of botCounts) {
    const measured: Measured = { folds: [], inserts: [] };
    // The first round warms up both sides.
    await measureRun({ stage, plan, say }, bots, plan.runs, { folds: [], inserts: [] });
    for (let run = 0; run < plan.runs; run++) await measureRun({ stage, plan, say }, bots, run, measured);
    lines.push(toLine(bots, plan.foldDeliveries, measured));
  }
  await stage.sql`drop schema bench cascade`;
  return lines;
}

/** A bot has one batch at a time, so only several bots use both worker slots. */
const botCounts = [1, 4];

type Measured = { folds: number[]; inserts: number[] };

async function measureRun(
  { stage, plan, say }: Measuring,
  bots: number,
  run: number,
  { folds, inserts }: Measured,
): Promise<void> {
  const { sql } = stage;
  const inboxes: { botId: string; deliveries: Stored[] }[] = [];
  for (let bot = 0; bot < bots; bot++) {
    const { botId } = await stage.addBot(`fold ${bots} ${run} ${bot}`);
    inboxes.push({ botId, deliveries: makeDeliveries(run, plan.foldDeliveries / bots) });
  }
  for (const { botId, deliveries } of inboxes) {
    for (let start = 0; start < deliveries.length; start += putSize) {
      const part = deliveries.slice(start, start + putSize);
      await putDeliveries(
        sql,
        part.map((delivery) => ({ botId, platform: 'line', source: 'webhook', ...delivery })),
      );
    }
  }
  await settle(stage);
  let seconds = 0;
  for (const { botId, deliveries } of inboxes)
    seconds += deliveries.length / (await insertAll(sql, botId, deliveries));
  inserts.push(plan.foldDeliveries / seconds);
  await settle(stage);
  folds.push(await foldInbox(sql, plan.foldDeliveries));
  say(`${bots} bots: fold ${Math.round(folds.at(-1) ?? 0)}/s, insert ${Math.round(inserts.at(-1) ?? 0)}/s`);
}

/** Vacuums and writes earlier data, so that it does not slow down either side. */
async function settle(stage: Stage): Promise<void> {
  await stage.sql`vacuum analyze`;
  await stage.settle();
}

function toLine(bots: number, deliveries: number, { folds, inserts }: Measured): Line {
  const of = bots === 1 ? 'of one bot' : `of ${bots} bots`;
  return {
    what: `events folded from an inbox of ${deliveries.toLocaleString('en-US')} deliveries ${of}, batches of up to ${batchSize.toLocaleString('en-US')}`,
    unit: '/s',
    values: folds,
    against: {
      what: 'one insert of the same events for each batch, with their key, no folding',
      values: inserts,
    },
    ratios: folds.map((fold, index) => fold / (inserts[index] ?? 0)),
    target: { statistic: 'median', sense: 'at least', bound: 0.3 },
    note: 'neither side waits for the sync of its commits; lost work is repeated',
  };
}

/** The deliveries of a run, each of one event. */
export function makeDeliveries(run: number, count: number): Stored[] {
  const now = Date.now();
  const numbers = stretch(run, now);
  return Array.from({ length: count }, (_, n) => ({
    body: Buffer.from(lineDelivery(numbers, n)),
    receivedAt: now - dayMs + n,
  }));
}

/** Folds the pending deliveries, each of one event, and returns the events per second. */
export async function foldInbox(sql: Sql, count: number): Promise<number> {
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(() => done.reject(new Error('the fold did not end in time')), outcomeMsMax);
  let appended = 0;
  const folded = (outcome: FoldOutcome): void => {
    appended += outcome.appended;
    if (appended >= count) done.resolve();
  };
  const log = pino({ level: 'error' }, pino.destination(2));
  const random = inPortions(randomBytes);
  const worker = new Worker(sql, { slots: 2, clock: Date.now, random, log, onFold: folded });
  const startedAt = performance.now();
  try {
    worker.start();
    await done.promise;
    return count / ((performance.now() - startedAt) / 1_000);
  } finally {
    clearTimeout(timer);
    await worker.stop();
  }
}

async function insertAll(sql: Sql, botId: string, deliveries: readonly Stored[]): Promise<number> {
  const rows = deliveries.flatMap(({ body, receivedAt }) =>
    line.parse(body, null).events.map((event) => ({ ...event, receivedAt })),
  );
  const reserved = await sql.reserve();
  try {
    await reserved`set synchronous_commit to off`;
    const startedAt = performance.now();
    for (let start = 0; start < rows.length; start += batchSize) {
      const batch = rows.slice(start, start + batchSize);
      await reserved`
        insert into bench.events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
        select ${botId}, 'line', key, kind, detail, contact_id,
          to_timestamp(happened_ms / 1000::float8), to_timestamp(received_ms / 1000::float8)
        from unnest(${batch.map(({ key }) => key)}::text[], ${batch.map(({ kind }) => kind)}::text[],
          ${batch.map(({ detail }) => detail)}::text[], ${batch.map(({ contact }) => contact)}::text[],
          ${batch.map(({ happenedAt }) => happenedAt)}::bigint[], ${batch.map((row) => row.receivedAt)}::bigint[])
          as new (key, kind, detail, contact_id, happened_ms, received_ms)`;
    }
    return rows.length / ((performance.now() - startedAt) / 1_000);
  } finally {
    await reserved`reset synchronous_commit`;
    reserved.release();
  }
}
