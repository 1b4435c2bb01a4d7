import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../tests/harness/database.ts';
import { batchedPoints } from './points.ts';

test('calls that share a read get the contacts of their own ids, and no others', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'UTC'), ('other', 'Other', 'UTC')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, created_at)
    values ('shop', 'Ada', 'line', 'U1', null, now()), ('shop', 'Ben', 'line', 'U2', null, now()),
      ('shop', 'BenToo', 'whatsapp', '886', 'Ben', now()), ('other', 'Eve', 'line', 'U1', null, now())`;
  await sql`
    insert into point_accounts (bot_id, contact_id, balance, lasting, platform)
    values ('shop', 'Ada', 5, 5, 'line'), ('shop', 'Ben', 7, 7, 'line'), ('shop', 'BenToo', 0, 0, null),
      ('other', 'Eve', 9, 9, null)`;
  const read = batchedPoints(sql);
  const call = { botId: 'shop', clientIds: [], platform: null, platformClientIds: [], now: 0 };
  const calls = [
    { ...call, clientIds: ['Ada', 'Eve'] },
    { ...call, clientIds: ['BenToo', 'Ben', 'unknown'] },
    { ...call, clientIds: ['Ben'], platform: 'line' as const, platformClientIds: ['U1'] },
    { ...call, clientIds: [], platform: 'line' as const, platformClientIds: ['U2', 'U3'] },
    { ...call, botId: 'other', clientIds: ['Eve', 'Ada'] },
    { ...call, botId: 'unknown', clientIds: ['Ada'] },
  ];
  // Enough for reads that several calls share.
  const many = Array.from({ length: 20 }, () => calls).flat();
  const answers = await Promise.all(many.map(read));
  const expected = [
    [[['Ada', ['line', 5]]], []],
    [
      [
        ['BenToo', ['whatsapp', 7]],
        ['Ben', ['line', 7]],
      ],
      [],
    ],
    [[['Ben', ['line', 7]]], [['U1', 5]]],
    [[], [['U2', 7]]],
    [[['Eve', ['line', 9]]], []],
    null,
  ];
  for (const [index, answer] of answers.entries()) {
    const found = answer && [[...answer.byClientId].sort().reverse(), [...answer.byPlatformClientId]];
    const wanted = expected[index % calls.length];
    assert.deepEqual(found, wanted && [[...(wanted[0] ?? [])].sort().reverse(), wanted[1]], `call ${index}`);
  }
});
