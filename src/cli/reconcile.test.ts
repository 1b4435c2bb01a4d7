import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { recordSend } from '../../tests/harness/line-figures.ts';
import type { Sql } from '../database/client.ts';
import type { ReconciledDay } from '../line/reconciliation.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { Tally } from '../rollups/counters.ts';
import { register } from './reconcile.ts';

const now = Date.parse('2026-03-06T12:00:00+09:00');

async function addChannel(sql: Sql): Promise<void> {
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  const tally = new Tally('Asia/Taipei');
  const at = (time: string) => Date.parse(`${time}+09:00`);
  tally.add('line', at('2026-02-20T12:00:00'), { followers: 4 });
  tally.add('line', at('2026-03-02T23:59:59'), { followers: 2, blocks: 3 });
  tally.add('line', at('2026-03-03T00:00:00'), { followers: 1, blocks: -1 });
  await tally.write(sql, 'bot');
  const followers = (day: string, followers: number, blocks: number) => ({
    kind: 'followers',
    day,
    value: { status: 'ready', followers, blocks },
  });
  const entries = [
    followers('20260301', 10, 0),
    followers('20260302', 6, 3),
    followers('20260303', 5, 1),
    { kind: 'followers', day: '20260304', value: { status: 'unready' } },
    { kind: 'delivery', day: '20260301', value: { status: 'ready', broadcast: 7, apiPush: 1 } },
    { kind: 'delivery', day: '20260302', value: { status: 'ready' } },
    { kind: 'delivery', day: '20260303', value: { status: 'ready', apiBroadcast: 5 } },
  ];
  await importSnapshots(sql, { botId: 'bot', entries }, { now });
  for (const [requestId, recipients, time] of [
    ['1', 1, '2026-03-01T12:00:00'],
    ['2', 3, '2026-03-02T12:00:00'],
    ['3', null, '2026-03-03T12:00:00'],
  ] as const) {
    await recordSend(sql, 'bot', { requestId, kind: 'multicast', unit: null, recipients, sentAt: at(time) });
  }
  await sql`
    insert into deliveries (bot_id, platform, received_at, body, set_aside_reason) values
      ('bot', 'line', '2026-03-03T01:00:00Z', '{}', 'nonsense'), ('bot', 'facebook', '2026-02-01T00:00:00Z', '{}', 'nonsense')`;
}

test('each day has our own count even without a snapshot, LINE’s count, the gap and its possible reasons', async (t) => {
  const { sql } = await testDatabase(t);
  await addChannel(sql);
  const run = commandRunner(sql, register, { now });
  const { out } = await run('reconcile', 'bot', '--from', '2026-03-01', '--to', '2026-03-04', '--json');
  const { days, reasons } = JSON.parse(out) as { days: ReconciledDay[]; reasons: Record<string, string> };
  const rows = days.map(({ day, followers, blocks, sends }) => [
    day,
    ...[followers, blocks, sends].map(({ own, line, gap, reasons }) => [own, line, gap, reasons.join(' ')]),
  ]);
  assert.deepEqual(rows, [
    [
      '2026-03-01',
      [4, 10, -6, 'before-connected deleted-accounts'],
      [0, 0, 0, ''],
      [1, 8, -7, 'sends-outside-gateway'],
    ],
    ['2026-03-02', [6, 6, 0, ''], [3, 3, 0, ''], [3, 0, 3, 'recipients-not-reached']],
    [
      '2026-03-03',
      [7, 5, 2, 'unexplained'],
      [2, 1, 1, 'deliveries-set-aside deleted-accounts'],
      [null, 5, null, 'recipients-unknown'],
    ],
    ['2026-03-04', [7, null, null, 'not-told'], [2, null, null, 'not-told'], [0, null, null, 'not-told']],
  ]);
  assert.ok(days.every((day) => day.followers.reasons.every((reason) => reasons[reason])));
});

test('without options it shows 30 days up to yesterday, as a table with the reasons below', async (t) => {
  const { sql } = await testDatabase(t);
  await addChannel(sql);
  const run = commandRunner(sql, register, { now });
  const lines = (await run('reconcile', 'bot')).out.split('\n');
  assert.match(
    lines[0] ?? '',
    /^day +followers +LINE +gap +blocks +LINE +gap +sends +LINE +gap +from before$/,
  );
  assert.match(lines[1] ?? '', /^2026-02-04 /);
  assert.match(lines[30] ?? '', /^2026-03-05 +7 +– +– +2 +– +– +0 +– +– +– +not-told$/);
  assert.equal(lines[31], '');
  assert.ok(
    lines.includes(
      'sends-outside-gateway: LINE also counts messages that were not sent through our gateway.',
    ),
  );
});

test('a wrong day, a wrong range and an unknown bot are refused', async (t) => {
  const { sql } = await testDatabase(t);
  await addChannel(sql);
  const run = commandRunner(sql, register, { now });
  await assert.rejects(run('reconcile', 'missing'), { code: 'BOT_NOT_FOUND' });
  for (const days of [
    ['--from', '2026-02-30'],
    ['--from', '2026-03-06'],
    ['--from', '2015-01-01'],
    ['--to', 'today'],
  ]) {
    await assert.rejects(run('reconcile', 'bot', ...days), { code: 'INPUT_INVALID' }, days.join(' '));
  }
});
