import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { register } from './tag.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, created_at) values
      ('shop', 'Ada', 'line', 'U00000000000000000000000000000001', null, now()),
      ('shop', 'Ben', 'whatsapp', '886900000001', null, now()),
      ('shop', 'BensSecond', 'whatsapp', 'ben.user', 'Ben', now())`;
  return { sql, run: commandRunner(sql, register, { now }) };
}

async function kept(sql: Sql): Promise<string[]> {
  const rows = await sql<{ contact_id: string; tag: string }[]>`
    select contact_id, name as tag from contact_tags join tags using (bot_id, tag_id) order by contact_id, name`;
  return rows.map(({ contact_id, tag }) => `${contact_id} ${tag}`);
}

test('a contact is tagged by its platform id, its encoded id, or a second id', async (t) => {
  const { sql, run } = await shop(t);
  assert.equal(
    (await run('tag', 'add', 'shop', 'line', 'U00000000000000000000000000000001', 'VIP')).out,
    'Tagged Ada.',
  );
  assert.equal((await run('tag', 'add', 'shop', 'line', 'Ada', ' VIP ')).out, 'Ada has the tag already.');
  const { out } = await run('tag', 'add', 'shop', 'whatsapp', 'ben.user', 'VIP', '--json');
  assert.deepEqual(JSON.parse(out), { botId: 'shop', contactId: 'Ben', tag: 'VIP', changed: true });
  await run('tag', 'add', 'shop', 'whatsapp', 'BensSecond', 'new');
  assert.deepEqual(await kept(sql), ['Ada VIP', 'Ben VIP', 'Ben new']);
  const removed = await run(
    'tag',
    'remove',
    'shop',
    'line',
    'U00000000000000000000000000000001',
    'VIP',
    '--json',
  );
  assert.deepEqual(JSON.parse(removed.out), { botId: 'shop', contactId: 'Ada', tag: 'VIP', changed: true });
  assert.equal(
    (await run('tag', 'remove', 'shop', 'line', 'U00000000000000000000000000000001', 'VIP')).out,
    'Ada does not have the tag.',
  );
});

test('an unknown contact is refused by name, or added on request', async (t) => {
  const { sql, run } = await shop(t);
  await assert.rejects(run('tag', 'add', 'shop', 'line', 'U00000000000000000000000000000009', 'VIP'), {
    code: 'CONTACT_NOT_FOUND',
    message: /no contact "U00000000000000000000000000000009" on line/,
  });
  await assert.rejects(run('tag', 'add', 'shop', 'facebook', 'Ada', 'VIP'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('tag', 'add', 'none', 'line', 'U00000000000000000000000000000001', 'VIP'), {
    code: 'BOT_NOT_FOUND',
  });
  await assert.rejects(run('tag', 'add', 'shop', 'sms', 'U00000000000000000000000000000001', 'VIP'), {
    code: 'INPUT_INVALID',
  });
  await run('tag', 'add', 'shop', 'line', 'U00000000000000000000000000000009', 'VIP', '--create-contacts');
  const [added] =
    await sql`select platform_contact_id, followed_at from contacts where platform_contact_id = 'U00000000000000000000000000000009'`;
  assert.deepEqual(
    { ...added },
    { platform_contact_id: 'U00000000000000000000000000000009', followed_at: null },
  );
});

test('a file of tags is imported, and a second import changes nothing', async (t) => {
  const { sql, run } = await shop(t);
  const path = await temporaryFile(
    t,
    '\uFEFFplatform,contact,tag\r\nline,U00000000000000000000000000000001,"VIP, gold"\r\nwhatsapp,Ben,客人\r\n',
  );
  const first = await run('tag', 'import', 'shop', path, '--json');
  assert.deepEqual(JSON.parse(first.out), { botId: 'shop', lines: 2, added: 2 });
  assert.deepEqual(await kept(sql), ['Ada VIP, gold', 'Ben 客人']);
  const again = await run('tag', 'import', 'shop', path);
  assert.equal(again.out, '2 lines: 0 tags added, 2 existed already.');
});

test('a file with wrong lines is refused completely, and the lines are named', async (t) => {
  const { sql, run } = await shop(t);
  const path = await temporaryFile(
    t,
    'platform,contact,tag\nline,U00000000000000000000000000000001,VIP\nsms,U00000000000000000000000000000001,VIP\nline,U00000000000000000000000000000001\nline,U00000000000000000000000000000001,\n',
  );
  await assert.rejects(run('tag', 'import', 'shop', path), {
    code: 'INPUT_INVALID',
    message:
      /^Nothing was imported\.\n {2}line 3: The platform must .*\n {2}line 4: .* fields .*\n {2}line 5: A tag has /,
  });
  const unknown = [
    'platform,contact,tag',
    ...Array.from({ length: 25 }, (_, index) => `line,U${String(index).padStart(32, 'e')},VIP`),
    'line,U00000000000000000000000000000001,VIP',
  ];
  await assert.rejects(run('tag', 'import', 'shop', await temporaryFile(t, unknown.join('\n'))), {
    code: 'CONTACT_NOT_FOUND',
    message: /line 2: The bot has no contact "Ue+0".*line 21: .*\n {2}and 5 more$/s,
  });
  assert.deepEqual(await kept(sql), []);
});
