/**
 * `shoal import` as it is typed: contacts added and changed, no figure with them, all or nothing.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/database.ts';
import { availablePoints } from '../points/balances.ts';
import { listContacts } from '../rollups/contact-list.ts';
import { readFigures } from '../rollups/figures.ts';
import { register } from './import.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'Asia/Taipei')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'line', '')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values ('shop', 'Ada', 'line', 'U1', '2026-01-01')`;
  await sql`
    insert into contact_profiles (bot_id, contact_id, name, user_phone, updated_at)
    values ('shop', 'Ada', 'Ada', '+886 2', '2026-01-01')`;
  const run = commandRunner(sql, register, { now });
  const importText = async (what: string, text: string, ...options: string[]) =>
    JSON.parse((await run('import', 'shop', what, await temporaryFile(t, text), ...options, '--json')).out);
  return { sql, run, importText };
}

async function contactsOf(sql: Sql) {
  const none = { id: null, customerId: null, platform: null, name: null, tag: null, blocked: null };
  const query = { botId: 'shop', ...none, from: null, to: null };
  const page = await listContacts(sql, { ...query, limit: 100, offset: 0, after: null, now });
  return new Map(page.contacts.map((contact) => [contact.platformContactId, contact]));
}

const file = `platform,platform_contact_id,name,customer_id,user_phone,tags,personal_tags,automatic_tags
line,U1,Ada Lovelace,C-1,,VIP|新客,likes tea,
line,U2,"Ben, the second",C-2,'+886 912,VIP,,warm
facebook,F1,,,,,,
`;

test('contacts are added, and what a line tells of known ones is written; empty fields leave what is there', async (t) => {
  const { sql, importText } = await shop(t);
  const told = { botId: 'shop', lines: 3, added: 2, updated: 2, tagged: 5 };
  assert.deepEqual(await importText('contacts', file), told);
  const contacts = await contactsOf(sql);
  const ada = contacts.get('U1');
  assert.deepEqual(
    [ada?.contactId, ada?.name, ada?.customerId, ada?.userPhone],
    ['Ada', 'Ada Lovelace', 'C-1', '+886 2'],
  );
  assert.deepEqual(ada?.tags.map(({ kind, name }) => `${kind} ${name}`).sort(), [
    'manual VIP',
    'manual 新客',
    'personal likes tea',
  ]);
  const ben = contacts.get('U2');
  assert.deepEqual([ben?.name, ben?.userPhone, ben?.createdAt], ['Ben, the second', '+886 912', now]);
  assert.ok(contacts.has('F1'));
});

test('a second time the same file changes nothing, and a later line goes before an earlier one', async (t) => {
  const { sql, importText } = await shop(t);
  await importText('contacts', file);
  const before = await contactsOf(sql);
  const again = await importText('contacts', file);
  assert.deepEqual(again, { botId: 'shop', lines: 3, added: 0, updated: 0, tagged: 0 });
  assert.deepEqual(await contactsOf(sql), before);
  const lines = ['{"platform":"line","platform_contact_id":"U3","name":"first","remark":"kept"}'];
  lines.push('{"platform":"line","platform_contact_id":"U3","name":"last","tags":["a|b"]}');
  const added = await importText('contacts', lines.join('\n'), '--format', 'ndjson');
  assert.deepEqual(added, { botId: 'shop', lines: 2, added: 1, updated: 1, tagged: 1 });
  const contact = (await contactsOf(sql)).get('U3');
  assert.deepEqual([contact?.name, contact?.remark, contact?.tags[0]?.name], ['last', 'kept', 'a|b']);
});

test('an imported contact is no follower and no message; tag cover counts it', async (t) => {
  const { sql, importText } = await shop(t);
  await importText('contacts', file);
  const line = (await readFigures(sql, 'shop', now))?.platforms.line;
  assert.deepEqual(
    [line?.followers, line?.blocks, line?.messages, line?.conversations, line?.taggedContacts],
    [0, 0, 0, 0, 2],
  );
});

test('one wrong line refuses the whole file, and each is named with what was expected', async (t) => {
  const { sql, run, importText } = await shop(t);
  const wrong = [
    'platform,platform_contact_id,name,customer_id,tags',
    'line,U7,Good,C-7,VIP',
    'sms,U8,,,',
    'line,,,,',
    `line,U9,,${'x'.repeat(201)},`,
    `line,U10,,,${'x'.repeat(101)}`,
    'line,U11',
  ].join('\n');
  await assert.rejects(importText('contacts', wrong), {
    code: 'INPUT_INVALID',
    message:
      /^Nothing was imported\.\n {2}line 3: The platform must be one of .*\n {2}line 4: A contact is named by.*\n {2}line 5: customer_id has at most 200.*\n {2}line 6: A tag has 1 to 100.*\n {2}line 7: the line must have as many fields/s,
  });
  const surrogate = '{"platform":"line","platform_contact_id":"U12","name":"\\ud800"}';
  await assert.rejects(importText('contacts', surrogate, '--format', 'ndjson'), {
    message: /line 1: name has/,
  });
  await assert.rejects(importText('contacts', 'platform,name\nline,x\n'), {
    message: /must name the columns/,
  });
  await assert.rejects(importText('contacts', file, '--create-contacts'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('import', 'none', 'contacts', await temporaryFile(t, file)), {
    code: 'BOT_NOT_FOUND',
  });
  assert.deepEqual([...(await contactsOf(sql)).keys()], ['U1']);
});

test('a name that a platform tells later replaces an imported one', async (t) => {
  const { sql, importText } = await shop(t);
  await importText('contacts', file);
  const [row] = await sql<
    { at: Date }[]
  >`select name_told_at as at from contact_profiles where contact_id = 'Ada'`;
  assert.equal(row?.at.getTime(), now);
});

test('points come from CSV and NDJSON alike, once for each file or key', async (t) => {
  const { sql, importText } = await shop(t);
  const lines = [
    '{"platform":"line","contact":"U1","amount":100,"key":"a"}',
    '{"platform":"line","contact":"Ada","amount":-30}',
  ];
  const ndjson = () => importText('points', lines.join('\n'), '--format', 'ndjson');
  assert.deepEqual(await ndjson(), { botId: 'shop', lines: 2, written: 2, repeated: 0 });
  assert.deepEqual(await ndjson(), { botId: 'shop', lines: 2, written: 0, repeated: 2 });
  const csv = 'platform,contact,amount,key\nline,U1,100,a\nfacebook,F5,1,b\n';
  await assert.rejects(importText('points', csv), {
    code: 'CONTACT_NOT_FOUND',
    message: /line 3: .*createContacts/,
  });
  assert.equal((await importText('points', csv, '--create-contacts')).written, 1);
  const points = await availablePoints(sql, { botId: 'shop', contactIds: ['Ada'], now });
  assert.equal(points.get('Ada'), 70);
});
