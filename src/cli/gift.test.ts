import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { register } from './gift.ts';

test('gifts are added, granted, redeemed, imported once, and audited', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values ('shop', 'Ada', 'line', 'U00000000000000000000000000000001', now())`;
  const run = commandRunner(sql, register, { now: Date.parse('2026-03-01T00:00:00Z') });
  const added = await run('gift', 'add', 'shop', 'ticket', 'Coffee', '--stock', '3', '--default');
  assert.match(added.out, /^Added the gift [A-Za-z]{14}\.$/);
  const granted = JSON.parse(
    (await run('gift', 'grant', 'shop', 'line', 'Ada', 'Coffee', '--key', 'a', '--json')).out,
  );
  const again = await run('gift', 'grant', 'shop', 'line', 'Ada', 'Coffee', '--key', 'a');
  assert.equal(
    again.out,
    `Granted Coffee, grant ${granted.grantId}. This key was used before; nothing changed.`,
  );
  const redeemed = await run('gift', 'redeem', 'shop', 'line', 'Ada', String(granted.grantId));
  assert.equal(redeemed.out, `Redeemed Coffee, grant ${granted.grantId}.`);
  const file = await temporaryFile(t, 'platform,contact,gift\nline,Ada,Coffee\nline,Ada,Coffee\n');
  assert.equal(
    (await run('gift', 'import', 'shop', file)).out,
    '2 of 2 lines imported, 0 were imported before.',
  );
  assert.equal(
    (await run('gift', 'import', 'shop', file)).out,
    'All 2 lines were imported before. Nothing changed.',
  );
  assert.match((await run('gift', 'list', 'shop')).out, /ticket {2}3 of 3 granted {2}Coffee {2}\(default\)$/);
  assert.equal((await run('gift', 'audit', 'shop')).out, 'Every counter is correct.');
});
