/**
 * Transfers of points between 50 accounts, 20 at a time, each answered after its commit. Compared with pgbench's built-in script on
 * the same server, with the same numbers of connections and branches.
 */
import { pino } from 'pino';
import { openEmbedded } from '../src/database/embedded/embedded.ts';
import { auditPoints } from '../src/points/audit.ts';
import { earnMany } from '../src/points/bulk.ts';
import { findPgbench, type Pgbench, preparePgbench } from './pgbench.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import type { Stage } from './stage.ts';

const accounts = 50;
const connections = 20;
const pointsEach = 1_000_000;
const warmUpMs = 2_000;

/** Row 7. Throws if the ledger is incorrect at the end, or its number of transfers differs from the confirmed ones. */
export async function measureTransfers({ stage, plan, say }: Measuring): Promise<Line[]> {
  const { botId } = await stage.addBot('transfers');
  const contactIds = Array.from({ length: accounts }, (_, index) => `Account${index}`);
  const earnings = contactIds.map((contactId) => ({ contactId, amount: pointsEach, expiresAt: null }));
  await earnMany(stage.sql, { botId, key: 'seed', earnings }, { now: Date.now() });
  const { dataFolder } = stage;
  let answered = 0;
  let runs = 0;
  const transfers = async (durationMs = plan.callsMs): Promise<number> => {
    const keys = `run ${runs++}`;
    const job = { kind: 'transfers' as const, dataFolder, botId, contactIds, keys, connections, durationMs };
    const { requests, perSecond } = await stage.generate(job);
    answered += requests;
    return perSecond;
  };
  const pgbench = await open(stage, say);
  try {
    await transfers(warmUpMs);
    await pgbench?.measure({ connections, durationMs: warmUpMs });
    const values: number[] = [];
    const references: number[] = [];
    for (let run = 0; run < plan.runs; run++) {
      await stage.settle();
      if (pgbench) references.push(await pgbench.measure({ connections, durationMs: plan.callsMs }));
      await stage.settle();
      values.push(await transfers());
      say(`transfers ${Math.round(values.at(-1) ?? 0)}/s, pgbench ${Math.round(references.at(-1) ?? 0)}/s`);
    }
    await check(stage, botId, answered);
    return [toLine(values, references)];
  } finally {
    await pgbench?.close();
  }
}

function toLine(values: number[], references: number[]): Line {
  return {
    what: `points transferred between ${accounts} accounts, ${connections} at a time`,
    unit: '/s',
    values,
    against: {
      what: `pgbench's TPC-B-like script, ${accounts} branches, ${connections} connections, the same server`,
      values: references,
    },
    ratios: references.map((reference, run) => (values[run] ?? 0) / reference),
    target: { statistic: 'median', sense: 'at least', bound: 1 },
    note:
      references.length > 0
        ? 'commits of both sides are synced to the disk; transfers that come while a commit is under way share the next one'
        : '**not measured**: there is no pgbench on the PATH nor in /usr/lib/postgresql; it comes with PostgreSQL (Debian: postgresql-contrib or postgresql)',
  };
}

async function open(
  { sql, dataFolder }: Stage,
  say: (text: string) => void,
): Promise<(Pgbench & { close(): Promise<void> }) | null> {
  const program = findPgbench();
  if (program === null) {
    say('there is no pgbench here, so the transfers have nothing to be held against');
    return null;
  }
  const embedded = await openEmbedded({ dataFolder, exclusive: false, log: pino({ level: 'silent' }) });
  const close = async () => {
    await sql`drop database if exists pgbench with (force)`;
    await embedded.release();
  };
  try {
    await sql`create database pgbench`;
    say(`filling the tables of ${program}`);
    return { ...(await preparePgbench(program, embedded.address, accounts)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function check({ sql }: Stage, botId: string, answered: number): Promise<void> {
  const [row] = await sql<{ transfers: number; points: number }[]>`
    select (select count(*) from point_entries where bot_id = ${botId} and kind = 'transfer' and leads) as transfers,
      (select sum(balance)::bigint from point_accounts where bot_id = ${botId}) as points`;
  const differences = await auditPoints(sql, botId);
  const right = row?.transfers === answered && row.points === accounts * pointsEach;
  if (!right || differences.length > 0) {
    throw new Error(
      `the ledger is wrong after ${answered} transfers: ${JSON.stringify({ row, differences })}`,
    );
  }
}
