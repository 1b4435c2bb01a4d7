/** Shoal killed during intake, folding and start: nothing acknowledged is lost, nothing is counted twice. */
import { test } from 'node:test';
import { surviveKills, type Target } from './kills.ts';

const seed = 20_260_301;

test('every acknowledged delivery counts exactly once after 9 kills of Shoal under load', async (t) => {
  const round: Target[] = ['shoal', 'shoal', 'shoal-starting'];
  await surviveKills(t, seed, Array.from({ length: 3 }, () => round).flat());
});
