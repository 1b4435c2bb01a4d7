/**
 * `shoal import`: adds and changes contacts, changes no figure, and imports completely or not at all.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { listContacts } from '../contacts/list.ts';
import type { Sql } from '../database/client.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { availablePoints } from '../points/balances.ts';
import { readFigures } from '../reports/totals.ts';
import { pageOfTags } from '../tags/list.ts';
import { register } from './import.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'Asia/Taipei')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'line', '')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values ('shop', 'Ada', 'line', 'U00000000000000000000000000000001', '2026-01-01')`;
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
line,U00000000000000000000000000000001,Ada Lovelace,C-1,,VIP|新客,likes tea,
line,U00000000000000000000000000000002,"Ben, the second",C-2,'+886 912,VIP,,warm
facebook,7000000000000001,,,,,,
`;

test('contacts are added, known ones are changed, and empty fields change nothing', async (t) => {
  const { sql, importText } = await shop(t);
  const counts = { botId: 'shop', lines: 3, added: 2, updated: 2, tagged: 5 };
  assert.deepEqual(await importText('contacts', file), counts);
  const contacts = await contactsOf(sql);
  const ada = contacts.get('U00000000000000000000000000000001');
  assert.deepEqual(
    [ada?.contactId, ada?.name, ada?.customerId, ada?.userPhone],
    ['Ada', 'Ada Lovelace', 'C-1', '+886 2'],
  );
  assert.deepEqual(ada?.tags.map(({ kind, name }) => `${kind} ${name}`).sort(), [
    'manual VIP',
    'manual 新客',
    'personal likes tea',
  ]);
  const ben = contacts.get('U00000000000000000000000000000002');
  assert.deepEqual([ben?.name, ben?.userPhone, ben?.createdAt], ['Ben, the second', '+886 912', now]);
  assert.ok(contacts.has('7000000000000001'));
});

test('the same file changes nothing a second time, and a later line overrides an earlier one', async (t) => {
  const { sql, importText } = await shop(t);
  await importText('contacts', file);
  const before = await contactsOf(sql);
  const again = await importText('contacts', file);
  assert.deepEqual(again, { botId: 'shop', lines: 3, added: 0, updated: 0, tagged: 0 });
  assert.deepEqual(await contactsOf(sql), before);
  const lines = [
    '{"platform":"line","platform_contact_id":"U00000000000000000000000000000003","name":"first","remark":"kept"}',
  ];
  lines.push(
    '{"platform":"line","platform_contact_id":"U00000000000000000000000000000003","name":"last","tags":["a|b"]}',
  );
  const added = await importText('contacts', lines.join('\n'), '--format', 'ndjson');
  assert.deepEqual(added, { botId: 'shop', lines: 2, added: 1, updated: 1, tagged: 1 });
  const contact = (await contactsOf(sql)).get('U00000000000000000000000000000003');
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

test('one wrong line refuses the whole file, and every wrong line is named with the expected value', async (t) => {
  const { sql, run, importText } = await shop(t);
  const wrong = [
    'platform,platform_contact_id,name,customer_id,tags',
    'line,U00000000000000000000000000000007,Good,C-7,VIP',
    'sms,U00000000000000000000000000000008,,,',
    'line,,,,',
    `line,U00000000000000000000000000000009,,${'x'.repeat(201)},`,
    `line,U00000000000000000000000000000010,,,${'x'.repeat(101)}`,
    'line,U00000000000000000000000000000011',
  ].join('\n');
  await assert.rejects(importText('contacts', wrong), {
    code: 'INPUT_INVALID',
    message:
      /^Nothing was imported\.\n {2}line 3: The platform must be one of .*\n {2}line 4: A contact id has 1 to.*\n {2}line 5: customer_id must have at most 200.*\n {2}line 6: A tag has 1 to 100.*\n {2}line 7: the line must have as many fields/s,
  });
  const surrogate =
    '{"platform":"line","platform_contact_id":"U00000000000000000000000000000012","name":"\\ud800"}';
  await assert.rejects(importText('contacts', surrogate, '--format', 'ndjson'), {
    message: /line 1: name must have/,
  });
  await assert.rejects(importText('contacts', 'platform,name\nline,x\n'), {
    message: /must name the columns/,
  });
  await assert.rejects(importText('contacts', file, '--create-contacts'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('import', 'none', 'contacts', await temporaryFile(t, file)), {
    code: 'BOT_NOT_FOUND',
  });
  assert.deepEqual([...(await contactsOf(sql)).keys()], ['U00000000000000000000000000000001']);
});

test('a later name from the platform replaces an imported one', async (t) => {
  const { sql, importText } = await shop(t);
  await importText('contacts', file);
  const [row] = await sql<
    { at: Date }[]
  >`select name_told_at as at from contact_profiles where contact_id = 'Ada'`;
  assert.equal(row?.at.getTime(), now);
});

test('a WhatsApp number is reduced to its digits in files and commands', async (t) => {
  const { sql, importText } = await shop(t);
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'whatsapp', '')`;
  await importText('contacts', 'platform,platform_contact_id,name\nwhatsapp,+886933333333,Ming\n');
  const message = {
    ...{ from: '886933333333', id: 'wamid.P1', timestamp: '1795500000', type: 'text', text: { body: 'a' } },
  };
  const value = {
    ...{ messaging_product: 'whatsapp', metadata: { phone_number_id: '300' } },
    ...{ contacts: [{ profile: { name: 'M' }, wa_id: '886933333333' }], messages: [message] },
  };
  const entry = [{ id: '900', changes: [{ field: 'messages', value }] }];
  const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }));
  const received = { source: 'webhook' as const, receivedAt: now, body };
  await putDeliveries(sql, [{ botId: 'shop', platform: 'whatsapp', ...received }]);
  await foldPending(sql, 'shop', { now, random: randomBytes, countMax: 10 });
  const points = (amount: number, contact: string) =>
    importText('points', `platform,contact,amount\nwhatsapp,${contact},${amount}\n`);
  await points(50, '+886933333333');
  await points(4, '886 933-333-333');
  await points(3, '886933333333');
  const people = [...(await contactsOf(sql)).values()].filter(({ platform }) => platform === 'whatsapp');
  assert.deepEqual(
    people.map(({ platformContactId, name }) => [platformContactId, name]),
    [['886933333333', 'Ming']],
  );
  const contactIds = people.map(({ contactId }) => contactId);
  assert.deepEqual([...(await availablePoints(sql, { botId: 'shop', contactIds, now })).values()], [57]);
});

test('an id that the platform cannot have is refused with the expected form, and a rounded number with the reason', async (t) => {
  const { sql, importText } = await shop(t);
  const refused: [platform: string, id: string, message: RegExp][] = [
    ['line', 'user', /line 2: An id on line must be U and 32 hexadecimal digits in lower case, not "user"/],
    ['line', `U${'A'.repeat(32)}`, /hexadecimal digits in lower case/],
    ['facebook', 'Ada', /line 2: An id on facebook must be 5 to 25 digits/],
    ['instagram', '@ada', /An id on instagram must be 5 to 25 digits/],
    ['whatsapp', 'message', /An id on whatsapp must be a telephone number of 5 to 15 digits/],
    ['whatsapp', '8.86933E+11', /line 2: "8.86933E\+11" is a number that a spreadsheet has rounded/],
    ['whatsapp', '8,86933E+11', /a spreadsheet has rounded/],
    ['facebook', '7.12E+15', /a spreadsheet has rounded/],
    ['liveChat', 'v_1', /An id on liveChat must be v_ and 20 letters/],
  ];
  for (const [platform, id, message] of refused) {
    const line = (fields: object) => JSON.stringify({ platform, ...fields });
    const contacts = importText('contacts', line({ platform_contact_id: id }), '--format', 'ndjson');
    await assert.rejects(contacts, { message: new RegExp(message.source.replace('line 2', 'line 1')) }, id);
    const csv = `platform,contact,amount\n${platform},"${id}",5\n`;
    await assert.rejects(importText('points', csv, '--create-contacts'), { message }, id);
  }
  const accepted = [
    ['line', `U${'0a'.repeat(16)}`],
    ['facebook', '7117890236152592'],
    ['whatsapp', 'TW.13491208655302741918'],
    ['whatsapp', 'user.f6839db2a7a22e25a729baa64bfac4f2ac2'],
    ['liveChat', 'v_abcDEFghiJKLmnopqrST'],
  ];
  const csv = accepted.map((fields) => fields.join(',')).join('\n');
  const counts = await importText('contacts', `platform,platform_contact_id\n${csv}\n`);
  assert.equal(counts.added, accepted.length);
  assert.equal((await contactsOf(sql)).size, 1 + accepted.length);
});

test('one run names rounded ids, ids in a wrong form, unknown contacts and wrong fields together, in the order of lines', async (t) => {
  const { importText } = await shop(t);
  const lines = [
    'platform,contact,amount',
    'line,user,5',
    'whatsapp,8.86933E+11,5',
    'line,U00000000000000000000000000000001,5',
    'line,U00000000000000000000000000000009,5',
    'line,U00000000000000000000000000000001,many',
    'facebook,Ada,5',
  ];
  const csv = lines.join('\n');
  const known =
    /^Nothing was imported\.\n {2}line 2: An id on line .*\n {2}line 3: .* rounded.*\n {2}line 6: .*\n {2}line 7: An id on facebook .*$/;
  await assert.rejects(importText('points', csv, '--create-contacts'), { message: known });
  const unknown =
    /^Nothing.*\n {2}line 2: An id.*\n {2}line 3: .*\n {2}line 5: The bot has no contact.*\n {2}line 6: .*\n {2}line 7: An id.*$/;
  await assert.rejects(importText('points', csv), { message: unknown });
  const rounded = 'whatsapp,8.86933E+11,5\n'.repeat(30);
  const long = `platform,contact,amount\nline,user,5\n${rounded}`;
  await assert.rejects(importText('points', long, '--create-contacts'), {
    message:
      /^Nothing was imported\.\n {2}line 2: An id on line .*\n {2}line 3: .*\n {2}line 21: .*\n {2}and 11 more$/s,
  });
});

test('an existing contact whose id has another form can still be changed', async (t) => {
  const { sql, importText } = await shop(t);
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values ('shop', 'Old', 'line', 'old id', '2026-01-01')`;
  await importText('contacts', 'platform,platform_contact_id,name\nline,old id,Old\n');
  assert.equal((await contactsOf(sql)).get('old id')?.name, 'Old');
});

test('composed and decomposed text is one tag and one name, and a search finds either', async (t) => {
  const { sql, importText } = await shop(t);
  const [composed, decomposed] = ['ガ会員', 'ガ会員'.normalize('NFD')];
  assert.notEqual(composed, decomposed);
  const line = (text: string) =>
    `platform,platform_contact_id,name,customer_id,tags\nline,U00000000000000000000000000000001,${text},${text},${text}\n`;
  assert.equal((await importText('contacts', line(decomposed))).tagged, 1);
  assert.deepEqual(await importText('contacts', line(composed)), {
    ...{ botId: 'shop', lines: 1, added: 0, updated: 0, tagged: 0 },
  });
  const tags = await sql<{ name: string }[]>`select name from tags`;
  assert.deepEqual(
    tags.map(({ name }) => name),
    [composed],
  );
  const none = { id: null, customerId: null, platform: null, name: null, tag: null, blocked: null };
  const page = { botId: 'shop', ...none, from: null, to: null, limit: 9, offset: 0, after: null, now };
  for (const text of [composed, decomposed]) {
    for (const wanted of [{ name: text }, { tag: text }, { customerId: text }]) {
      assert.equal((await listContacts(sql, { ...page, ...wanted })).contacts.length, 1);
    }
    const found = { kind: null, search: text, after: null, limit: 9, now };
    assert.equal((await pageOfTags(sql, 'shop', found)).length, 1);
  }
});

test('points are imported from CSV and NDJSON, once for each file or key', async (t) => {
  const { sql, importText } = await shop(t);
  const lines = [
    '{"platform":"line","contact":"U00000000000000000000000000000001","amount":100,"key":"a"}',
    '{"platform":"line","contact":"Ada","amount":-30}',
  ];
  const ndjson = () => importText('points', lines.join('\n'), '--format', 'ndjson');
  assert.deepEqual(await ndjson(), { botId: 'shop', lines: 2, written: 2, repeated: 0 });
  assert.deepEqual(await ndjson(), { botId: 'shop', lines: 2, written: 0, repeated: 2 });
  const csv =
    'platform,contact,amount,key\nline,U00000000000000000000000000000001,100,a\nfacebook,7000000000000005,1,b\n';
  await assert.rejects(importText('points', csv), {
    code: 'CONTACT_NOT_FOUND',
    message: /line 3: .*createContacts/,
  });
  assert.equal((await importText('points', csv, '--create-contacts')).written, 1);
  const points = await availablePoints(sql, { botId: 'shop', contactIds: ['Ada'], now });
  assert.equal(points.get('Ada'), 70);
});

test('a catalogue and redemptions are imported once, and a preview writes nothing', async (t) => {
  const { run, importText } = await shop(t);
  const catalogue = 'name,kind,resource,stock\nCoffee,ticket,rewardsCard,5\n';
  assert.deepEqual(await importText('catalogue', catalogue, '--preview'), {
    ...{ botId: 'shop', lines: 1, added: 1, updated: 0 },
  });
  assert.deepEqual(await importText('catalogue', catalogue), {
    ...{ botId: 'shop', lines: 1, added: 1, updated: 0 },
  });
  assert.deepEqual(await importText('catalogue', catalogue), {
    ...{ botId: 'shop', lines: 1, added: 0, updated: 0 },
  });
  const rows = 'platform,contact,gift\nline,Ada,Coffee\n';
  assert.deepEqual(await importText('gifts', rows), { botId: 'shop', lines: 1, written: 1, repeated: 0 });
  const file = await temporaryFile(t, rows);
  const redeem = async () => (await run('import', 'shop', 'redemptions', file)).out;
  assert.equal(await redeem(), '1 of 1 lines imported, 0 were imported before.');
  assert.equal(await redeem(), 'All 1 lines were imported before. Nothing changed.');
});
