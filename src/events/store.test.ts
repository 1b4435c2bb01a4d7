/**
 * The store looks events up by key through the index, on every version of PostgreSQL, with or without statistics.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { setUp } from '../ingest/claim.ts';
import { storedRows } from './store.ts';

const botId = 'AbCdEfGhI';
const platform = 'line';
const events = 3_000;
const keys = Array.from({ length: 1_000 }, (_, index) => `${index % 2 === 0 ? 'known' : 'new'} ${index}`);

type Plan = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Actual Loops': number;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
};

async function fill(t: TestContext, { hasForgotten }: { hasForgotten: boolean }): Promise<Sql> {
  const { sql } = await testDatabase(t);
  await sql`
    insert into events (bot_id, platform, key, kind, happened_at, received_at)
    select ${botId}, ${platform}, 'known ' || number, 'message-in', now(), now() from generate_series(1, ${events}) number`;
  if (hasForgotten) {
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at, forgotten_at)
      values (${botId}, 'contact', ${platform}, 'anonymous', now(), now())`;
  }
  return sql;
}

/** The scans of the events that the look-up has run. */
async function scansOf(sql: Sql): Promise<Plan[]> {
  const [row] = await sql.begin(async (tx) => {
    await setUp(tx);
    return tx<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>`
      explain (analyze, timing off, format json) ${storedRows(
        tx,
        keys.map((key) => ({ botId, platform, key })),
      )}`;
  });
  const all = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(all)];
  const plan = row?.['QUERY PLAN'][0].Plan;
  assert.ok(plan);
  return all(plan).filter((node) => node['Relation Name'] === 'events' && node['Actual Loops'] > 0);
}

for (const hasForgotten of [false, true]) {
  for (const isAnalyzed of [false, true]) {
    const state = `${hasForgotten ? 'with' : 'without'} forgotten contacts, ${isAnalyzed ? '' : 'not '}analyzed`;
    test(`1,000 keys are looked up in the index and none is filtered: ${state}`, async (t) => {
      const sql = await fill(t, { hasForgotten });
      if (isAnalyzed) await sql`analyze events`;
      const scans = await scansOf(sql);
      assert.ok(scans.length > 0);
      for (const scan of scans) {
        const shown = JSON.stringify(scan, null, 1);
        assert.match(scan['Index Cond'] ?? '', /bot_id = .*platform = .*key = /s, shown);
        assert.equal(scan['Rows Removed by Filter'] ?? 0, 0, shown);
      }
    });
  }
}
