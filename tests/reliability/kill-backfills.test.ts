/** A process killed during the backfill of each of Meta's figures. `proof/backfills` does the same with ten kills each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../harness/database.ts';
import { killBackfills } from './killed-backfills.ts';

const seed = 20_260_318;
const kills = {
  ...{ 'page-insights': 3, 'instagram-followers': 1, 'whatsapp-analytics': 2 },
  ...{ 'whatsapp-templates': 1, 'facebook-history': 2, 'instagram-history': 1 },
};

test('after 10 kills during the backfills of Meta’s figures nothing is missing, and only interrupted calls were repeated', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const survived = await killBackfills({ ends: t, database: await testDatabase(t), seed, kills });
  for (const { kind, kills, calls } of survived) t.diagnostic(`${kind}: ${kills} kills, ${calls} calls`);
  assert.equal(
    survived.reduce((sum, { kills }) => sum + kills, 0),
    10,
  );
});
