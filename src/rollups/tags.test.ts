import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { lockBot } from '../bots/bots.ts';
import type { Sql } from '../database/database.ts';
import { addTags, countTagged, moveTags, removeTags, tagLengthMax, tagName } from './tags.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const people = { ada: 'line', ben: 'line', cleo: 'whatsapp', dora: 'whatsapp' } as const;
const contactIds = Object.keys(people) as (keyof typeof people)[];

async function addBot(sql: Sql, botId: string): Promise<void> {
  await sql`insert into bots (bot_id, name) values (${botId}, 'Bot')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, id, platform, id, now()
    from unnest(${contactIds}::text[], ${Object.values(people)}::text[]) as new (id, platform)`;
}

async function keptCounts(sql: Sql, botId: string): Promise<Record<string, number>> {
  const rows = await sql<{ platform: string; tagged: number }[]>`
    select platform, tagged_contacts::integer as tagged from totals
    where bot_id = ${botId} and tagged_contacts <> 0 order by platform`;
  return Object.fromEntries(rows.map(({ platform, tagged }) => [platform, tagged]));
}

async function join(sql: Sql, botId: string, fromContactId: string, toContactId: string): Promise<void> {
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

test('a contact is counted with its first tag and no more after its last', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const vip = { contactId: 'ada', tag: 'VIP' };
  const regular = { contactId: 'ada', tag: 'regular' };
  const add = (tags: (typeof vip)[]) => sql.begin((tx) => addTags(tx, { botId: 'bot', tags }, { now }));
  const remove = (tags: (typeof vip)[]) => sql.begin((tx) => removeTags(tx, { botId: 'bot', tags }, { now }));
  assert.equal(await add([vip, vip, regular]), 2);
  assert.equal(await add([vip]), 0);
  assert.deepEqual(await keptCounts(sql, 'bot'), { line: 1 });
  assert.equal(await remove([vip]), 1);
  assert.equal(await remove([vip]), 0);
  assert.deepEqual(await keptCounts(sql, 'bot'), { line: 1 });
  assert.equal(await remove([regular]), 1);
  assert.deepEqual(await keptCounts(sql, 'bot'), {});
});

test('tags of an unknown bot are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const tags = [{ contactId: 'ada', tag: 'VIP' }];
  await assert.rejects(
    sql.begin((tx) => addTags(tx, { botId: 'none', tags }, { now })),
    { code: 'BOT_NOT_FOUND' },
  );
  await assert.rejects(
    sql.begin((tx) => removeTags(tx, { botId: 'none', tags }, { now })),
    { code: 'BOT_NOT_FOUND' },
  );
});

test('a joined contact has the tags of both, the earlier time of each, and is counted once', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  await sql.begin((tx) => addTags(tx, { botId: 'bot', tags: [{ contactId: 'dora', tag: 'VIP' }] }, { now }));
  const both = [
    { contactId: 'cleo', tag: 'VIP' },
    { contactId: 'dora', tag: 'new' },
  ];
  await sql.begin((tx) => addTags(tx, { botId: 'bot', tags: both }, { now: now + 1_000 }));
  assert.deepEqual(await keptCounts(sql, 'bot'), { whatsapp: 2 });
  await join(sql, 'bot', 'dora', 'cleo');
  await join(sql, 'bot', 'dora', 'cleo');
  assert.deepEqual(await keptCounts(sql, 'bot'), { whatsapp: 1 });
  const kept = await sql<{ contact_id: string; tag: string; created_at: Date }[]>`
    select contact_id, tag, created_at from contact_tags order by tag`;
  assert.deepEqual(
    kept.map((row) => [row.contact_id, row.tag, row.created_at.getTime() - now]),
    [
      ['cleo', 'VIP', 0],
      ['cleo', 'new', 1_000],
    ],
  );
  await sql.begin((tx) =>
    removeTags(tx, { botId: 'bot', tags: [{ contactId: 'dora', tag: 'new' }] }, { now }),
  );
  const left = await sql`select from contact_tags where contact_id = 'cleo'`;
  assert.equal(left.length, 1, 'the absorbed id leads to the survivor');
});

const step = fc.record({
  do: fc.constantFrom('add', 'add', 'remove', 'join' as const),
  pairs: fc.array(fc.tuple(fc.constantFrom(...contactIds), fc.constantFrom('VIP', 'new', 'regular')), {
    minLength: 1,
    maxLength: 4,
  }),
});

test('whatever is tagged, untagged and joined in any order, kept counts are those of a model and of a count anew', async (t) => {
  const { sql } = await testDatabase(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      run += 1;
      const botId = `bot ${run}`;
      await addBot(sql, botId);
      const owner = new Map<string, keyof typeof people>();
      const model = new Set<string>();
      for (const { do: verb, pairs } of steps) {
        if (verb === 'join') {
          if (owner.has('dora')) continue;
          await join(sql, botId, 'dora', 'cleo');
          owner.set('dora', 'cleo');
          for (const name of [...model]) {
            if (name.startsWith('dora ') && model.delete(name)) model.add(name.replace('dora', 'cleo'));
          }
          continue;
        }
        const tags = pairs.map(([contactId, tag]) => ({ contactId, tag }));
        const names = new Set(pairs.map(([contactId, tag]) => `${owner.get(contactId) ?? contactId} ${tag}`));
        const changed = [...names].filter((name) => model.has(name) !== (verb === 'add'));
        const count = await sql.begin((tx) =>
          verb === 'add' ? addTags(tx, { botId, tags }, { now }) : removeTags(tx, { botId, tags }, { now }),
        );
        assert.equal(count, changed.length);
        for (const name of changed) verb === 'add' ? model.add(name) : model.delete(name);
      }
      const tagged = new Set([...model].map((name) => name.split(' ')[0] ?? ''));
      const expected: Record<string, number> = {};
      for (const contactId of contactIds) {
        if (tagged.has(contactId)) expected[people[contactId]] = (expected[people[contactId]] ?? 0) + 1;
      }
      assert.deepEqual(await keptCounts(sql, botId), expected);
      assert.deepEqual(Object.fromEntries(await countTagged(sql, botId)), expected);
    }),
    { numRuns: 40 },
  );
});

test('the same contact tagged by many at once is counted once', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const counts = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      sql.begin((tx) =>
        addTags(tx, { botId: 'bot', tags: [{ contactId: 'ada', tag: `tag ${index % 3}` }] }, { now }),
      ),
    ),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.deepEqual(await keptCounts(sql, 'bot'), { line: 1 });
});
