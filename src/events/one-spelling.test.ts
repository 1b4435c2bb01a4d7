import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { findByAnyIds, findContacts } from '../contacts/contacts.ts';
import { migrate, readMigrations } from '../database/migrate.ts';

test('a migration gives stored numbers, names and tags their one spelling', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const place = migrations.findIndex(({ name }) => name.endsWith('-one-spelling.sql'));
  await migrate(sql, migrations.slice(0, place));
  const decomposed = 'ガ'.normalize('NFD');
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at) values
      ('bot', 'a', 'whatsapp', '+886 911-111', now()), ('bot', 'b', 'whatsapp', '+886922', now()),
      ('bot', 'c', 'whatsapp', '886922', now()), ('bot', 'd', 'whatsapp', '+886911111', now()),
      ('bot', 'e', 'whatsapp', 'TW.1-2', now()), ('bot', 'f', 'line', '+1', now())`;
  await sql`
    insert into contact_profiles (bot_id, contact_id, name, updated_at) values ('bot', 'a', ${decomposed}, now())`;
  await sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at) values
      ('bot', '1', 'manual', ${decomposed}, now(), now()), ('bot', '2', 'personal', ${decomposed}, now(), now()),
      ('bot', '3', 'personal', 'ガ', now(), now())`;
  await migrate(sql);
  const ids = await sql<{ id: string }[]>`select platform_contact_id as id from contacts order by contact_id`;
  assert.deepEqual(
    ids.map(({ id }) => id),
    ['886911111', '+886922', '886922', '+886911111', 'TW.1-2', '+1'],
  );
  const [profile] = await sql`select name from contact_profiles`;
  assert.equal(profile?.name, 'ガ');
  const tags = await sql<{ name: string }[]>`select name from tags order by tag_id`;
  assert.deepEqual(
    tags.map(({ name }) => name),
    ['ガ', decomposed, 'ガ'],
  );
  const found = await findContacts(sql, 'bot', 'whatsapp', ['+886 911 111', '886922', 'TW.1-2', '0']);
  assert.deepEqual([...found].toSorted(), [
    ['+886 911 111', 'a'],
    ['886922', 'c'],
    ['TW.1-2', 'e'],
  ]);
  assert.deepEqual([...(await findByAnyIds(sql, 'bot', ['+886-911-111', 'b', '+1']))].toSorted(), [
    ['+1', 'f'],
    ['+886-911-111', 'a'],
    ['b', 'b'],
  ]);
});
