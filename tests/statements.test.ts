import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clusterExceptions } from './cluster-exceptions.ts';
import { manyBotStatements } from './harness/many-bot-statements.ts';
import { lacksBot, usesQueue } from './harness/statements.ts';

test('a statement over distributed tables lacks its bot if a sub-select does not name it as a value', () => {
  const good = [
    'select 1 from contacts where bot_id = $1 and contact_id = $2',
    'select (select count(*) from events where events.bot_id = $1) from bots where bots.bot_id = $2',
    'insert into tags (bot_id, tag_id) values ($1, $2)',
    'insert into tags (bot_id, tag_id) select * from ( select bots.bot_id, sent.* from bots cross join unnest($1::text[]) as sent (tag_id) where bots.bot_id = $2 ) as new',
    'with page as (select * from contacts where bot_id = $1) select * from page',
    'select * from deliveries where delivery_id = $1',
    "select 'from contacts' from migrations",
  ];
  const wrong = [
    'select 1 from contacts where contact_id = $1',
    'select (select count(*) from events where events.bot_id = bots.bot_id) from bots where bots.bot_id = $1',
    'insert into tags (bot_id, tag_id) select bot_id, $1 from contacts',
    'with page as (select * from contacts where contact_id = $1) select * from page',
    'update totals set inbound = 0',
  ];
  assert.deepEqual(good.filter(lacksBot), []);
  assert.deepEqual(
    wrong.filter((text) => !lacksBot(text)),
    [],
  );
});

test('a statement over distributed tables may not use a queue, also not in a sub-select', () => {
  assert.ok(!usesQueue('select 1 from contacts where bot_id = $1'));
  assert.ok(!usesQueue("select 'from contacts' from deliveries where bot_id = $1"));
  assert.ok(
    usesQueue(
      'select 1 from contacts where bot_id = $1 and exists (select from deliveries where bot_id = $2)',
    ),
  );
  assert.ok(
    usesQueue(
      'with waiting as (select day from deliveries where bot_id = $1) select * from days left join waiting using (day) where bot_id = $2',
    ),
  );
});

test('few statements name no bot, and few tests are left out on a cluster, each with a reason', () => {
  assert.ok(manyBotStatements.length <= 20, 'at most 20 statements');
  assert.ok(clusterExceptions.length <= 15, 'at most 15 tests');
  for (const { file, test: name = '' } of clusterExceptions)
    assert.ok(
      readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').includes(name),
      `${file}: ${name}`,
    );
  for (const { reason } of [...manyBotStatements, ...clusterExceptions]) assert.ok(reason.length > 10);
});
