/**
 * Points for 10,000 contacts in one call, with entries, lots, sums and locks. Compared with a COPY of the same entries into a table
 * with the same columns and primary key.
 */

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Sql } from '../src/database/client.ts';
import { auditPoints } from '../src/points/audit.ts';
import { type Earning, earningsMax, earnMany } from '../src/points/bulk.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { seedPoints } from './seed.ts';

const callsInRun = 4;
const dayMs = 86_400_000;

/** Row 8. Throws if the ledger is incorrect at the end. */
export async function measureBulk({ stage, plan, say }: Measuring): Promise<Line[]> {
  const { sql } = stage;
  const now = Date.now();
  const { botId } = await stage.addBot('bulk');
  const contactIds = await seedPoints(sql, botId, callsInRun * earningsMax, now);
  await sql`create schema bench_bulk`;
  await sql`
    create table bench_bulk.entries (like point_entries including defaults, primary key (bot_id, contact_id, entry_id))`;
  const values: number[] = [];
  const references: number[] = [];
  await stage.settle();
  // The first round warms up both sides and allocates pages.
  for (let run = -1; run < plan.runs; run++) {
    const keys = Array.from({ length: callsInRun }, (_, call) => `run ${run} call ${call}`);
    const lists = keys.map((_, call) =>
      earningsOf(contactIds.slice(call * earningsMax, (call + 1) * earningsMax), now),
    );
    const earned = await rate(callsInRun, (call) =>
      earnMany(sql, { botId, key: keys[call] ?? '', earnings: lists[call] ?? [] }, { now }),
    );
    const texts = await Promise.all(keys.map((key) => entriesAsText(sql, botId, key)));
    const copied = await rate(callsInRun, (call) => copyIn(sql, texts[call] ?? Buffer.alloc(0)));
    if (run < 0) continue;
    values.push(earned);
    references.push(copied);
    say(`bulk ${Math.round(earned)}/s, COPY ${Math.round(copied)}/s`);
  }
  const [row] = await sql<{ entries: number }[]>`select count(*) as entries from bench_bulk.entries`;
  const expected = (plan.runs + 1) * callsInRun * earningsMax;
  const differences = await auditPoints(sql, botId);
  if (row?.entries !== expected || differences.length > 0)
    throw new Error('bulk and COPY do not hold the same entries');
  await sql`drop schema bench_bulk cascade`;
  return [
    {
      what: `entries of points earned in bulk, ${earningsMax.toLocaleString('en-US')} contacts a call, half of them with an expiry`,
      unit: '/s',
      values,
      against: {
        what: 'COPY of the same entries into one table with the same columns and primary key',
        values: references,
      },
      ratios: values.map((value, run) => value / (references[run] ?? 0)),
      target: { statistic: 'median', sense: 'at least', bound: 0.3 },
      note: 'commits of both sides are synced to the disk; the bulk also locks the accounts, and writes them and their lots',
    },
  ];
}

function earningsOf(contactIds: readonly string[], now: number): Earning[] {
  return contactIds.map((contactId, index) => ({
    contactId,
    amount: 1 + (index % 100),
    expiresAt: index % 2 ? null : now + 365 * dayMs,
  }));
}

/** Entries per second of sequential calls. */
async function rate(calls: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < calls; index++) await call(index);
  return (calls * earningsMax) / ((performance.now() - startedAt) / 1_000);
}

async function entriesAsText(sql: Sql, botId: string, key: string): Promise<Buffer> {
  // COPY has no parameters. Both values are our own and contain no quotes.
  const query = `copy (select * from point_entries where bot_id = '${botId}' and key = '${key}') to stdout`;
  return buffer(await sql.unsafe(query).readable());
}

async function copyIn(sql: Sql, text: Buffer): Promise<void> {
  await pipeline(Readable.from([text]), await sql`copy bench_bulk.entries from stdin`.writable());
}
