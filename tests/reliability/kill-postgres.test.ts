/** PostgreSQL killed during intake and folding, alone and together with Shoal: nothing is lost, nothing is counted twice. */
import { test } from 'node:test';
import { surviveKills, type Target } from './kills.ts';

const seed = 20_260_302;

test('every acknowledged delivery counts exactly once after 8 kills of PostgreSQL under load', async (t) => {
  const round: Target[] = ['postgres', 'backend', 'shoal-and-postgres', 'shoal'];
  await surviveKills(t, seed, Array.from({ length: 2 }, () => round).flat());
});
