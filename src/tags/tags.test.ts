import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase, testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { lockBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { migrate, readMigrations } from '../database/migrate.ts';
import { moveTags } from './assignments.ts';
import { addTags, removeTags, tagLengthMax, tagName } from './tags.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(1);
const people = { ada: 'line', ben: 'line', cleo: 'whatsapp', dora: 'whatsapp' } as const;
const contactIds = Object.keys(people) as (keyof typeof people)[];

async function addBot(sql: Sql, botId: string): Promise<void> {
  await sql`insert into bots (bot_id, name) values (${botId}, 'Bot')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, id, platform, id, now()
    from unnest(${contactIds}::text[], ${Object.values(people)}::text[]) as new (id, platform)`;
}

async function storedCounts(sql: Sql, botId: string): Promise<Record<string, number>> {
  const rows = await sql<{ platform: string; tagged: number }[]>`
    select platform, tagged_contacts::integer as tagged from totals
    where bot_id = ${botId} and tagged_contacts <> 0 order by platform`;
  return Object.fromEntries(rows.map(({ platform, tagged }) => [platform, tagged]));
}

async function merge(sql: Sql, botId: string, fromContactId: string, toContactId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    await tx`
      update contacts set merged_into = ${toContactId} where bot_id = ${botId} and contact_id = ${fromContactId}`;
    await moveTags(tx, { botId, fromContactId, toContactId });
  });
}

test('a tag is trimmed and has 1 to 100 characters', () => {
  assert.equal(tagName('  VIP 客人 '), 'VIP 客人');
  assert.equal(tagName('👍'.repeat(tagLengthMax)).length, 2 * tagLengthMax);
  for (const text of ['', '   ', 'a\nb', 'a\u0000', '\ud800', '客'.repeat(tagLengthMax + 1)]) {
    assert.throws(() => tagName(text), { code: 'INPUT_INVALID' });
  }
});

test('a contact counts from its first tag until its last tag is removed', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const vip = { contactId: 'ada', tag: 'VIP' };
  const regular = { contactId: 'ada', tag: 'regular' };
  const add = (tags: (typeof vip)[]) =>
    sql.begin((tx) => addTags(tx, { botId: 'bot', tags }, { now, random }));
  const remove = (tags: (typeof vip)[]) => sql.begin((tx) => removeTags(tx, { botId: 'bot', tags }, { now }));
  assert.equal(await add([vip, vip, regular]), 2);
  assert.equal(await add([vip]), 0);
  assert.deepEqual(await storedCounts(sql, 'bot'), { line: 1 });
  assert.equal(await remove([vip]), 1);
  assert.equal(await remove([vip]), 0);
  assert.deepEqual(await storedCounts(sql, 'bot'), { line: 1 });
  assert.equal(await remove([regular]), 1);
  assert.deepEqual(await storedCounts(sql, 'bot'), {});
});

test('tags of an unknown bot are rejected', async (t) => {
  const { sql } = await testDatabase(t);
  const tags = [{ contactId: 'ada', tag: 'VIP' }];
  await assert.rejects(
    sql.begin((tx) => addTags(tx, { botId: 'none', tags }, { now, random })),
    { code: 'BOT_NOT_FOUND' },
  );
  await assert.rejects(
    sql.begin((tx) => removeTags(tx, { botId: 'none', tags }, { now })),
    { code: 'BOT_NOT_FOUND' },
  );
});

test('a merged contact has the tags of both with the earlier time of each, and counts once', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  await sql.begin((tx) =>
    addTags(tx, { botId: 'bot', tags: [{ contactId: 'dora', tag: 'VIP' }] }, { now, random }),
  );
  const both = [
    { contactId: 'cleo', tag: 'VIP' },
    { contactId: 'dora', tag: 'new' },
  ];
  await sql.begin((tx) => addTags(tx, { botId: 'bot', tags: both }, { now: now + 1_000, random }));
  assert.deepEqual(await storedCounts(sql, 'bot'), { whatsapp: 2 });
  await merge(sql, 'bot', 'dora', 'cleo');
  await merge(sql, 'bot', 'dora', 'cleo');
  assert.deepEqual(await storedCounts(sql, 'bot'), { whatsapp: 1 });
  const assignments = await sql<{ contact_id: string; tag: string; created_at: Date }[]>`
    select contact_id, name as tag, contact_tags.created_at
    from contact_tags join tags using (bot_id, tag_id) order by name`;
  assert.deepEqual(
    assignments.map((row) => [row.contact_id, row.tag, row.created_at.getTime() - now]),
    [
      ['cleo', 'VIP', 0],
      ['cleo', 'new', 1_000],
    ],
  );
  await sql.begin((tx) =>
    removeTags(tx, { botId: 'bot', tags: [{ contactId: 'dora', tag: 'new' }] }, { now }),
  );
  const remaining = await sql`select from contact_tags where contact_id = 'cleo'`;
  assert.equal(remaining.length, 1, 'the id of the merged contact means the survivor');
});

test('a contact that many transactions tag at once counts once', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const counts = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      sql.begin((tx) =>
        addTags(tx, { botId: 'bot', tags: [{ contactId: 'ada', tag: `tag ${index % 3}` }] }, { now, random }),
      ),
    ),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.deepEqual(await storedCounts(sql, 'bot'), { line: 1 });
});

test('the migration turns tags that were plain words into manual tags with their contacts and times', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const index = migrations.findIndex(({ name }) => name.endsWith('-contacts-and-tags.sql'));
  await migrate(sql, migrations.slice(0, index));
  for (const botId of ['bot', 'other']) await addBot(sql, botId);
  await sql`
    insert into contact_tags (bot_id, contact_id, tag, created_at) values
      ('bot', 'ada', 'VIP', ${new Date(now)}), ('bot', 'ben', 'VIP', ${new Date(now + 1_000)}),
      ('bot', 'ada', '客人', ${new Date(now)}), ('other', 'ada', 'VIP', ${new Date(now + 2_000)})`;
  await migrate(sql);
  const rows = await sql<{ text: string; id: string; at: Date }[]>`
    select concat_ws(' ', contact_tags.bot_id, contact_id, kind, name, ends_at) as text, tag_id as id, contact_tags.created_at as at
    from contact_tags join tags using (bot_id, tag_id) order by bot_id, name, contact_id`;
  assert.deepEqual(
    rows.map(({ text, at }) => `${text} ${at.getTime() - now}`),
    ['bot ada manual VIP 0', 'bot ben manual VIP 1000', 'bot ada manual 客人 0', 'other ada manual VIP 2000'],
  );
  const ids = new Set(rows.map(({ id }) => id));
  assert.equal(ids.size, 3);
  for (const id of ids) assert.match(id, /^[A-Za-z]{14}$/);
  const again = [{ contactId: 'ada', tag: 'VIP' }];
  assert.equal(await sql.begin((tx) => addTags(tx, { botId: 'bot', tags: again }, { now, random })), 0);
});
