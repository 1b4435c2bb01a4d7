/** The imports and exports of rewards, and the list of all grants. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createContacts } from '../../src/contacts/contacts.ts';
import { managementServer, problemOf } from './management-server.ts';

const [ada, ben] = [1, 2].map((index) => `U${String(index).padStart(32, '0')}`);
const headers = { 'content-type': 'text/csv' };

async function shop() {
  const server = await managementServer();
  const { sql, now, botId } = server;
  await createContacts(sql, botId, 'line', [ada ?? '', ben ?? ''], { now, random: randomBytes });
  const run = (what: string, body: string, query: Record<string, string> = {}) =>
    server.call('importData', { params: { what }, body, query, headers });
  const gifts = async () =>
    ((await server.call('listGifts')).body.gifts as Record<string, unknown>[]).map((gift) => [
      ...[gift.name, gift.kind, gift.resource, gift.isDefault, gift.stock, gift.granted, gift.expiresAt],
    ]);
  return { server, run, gifts };
}

const catalogue = [
  'name,kind,resource,stock,expires_at,is_default',
  'Coffee,ticket,rewardsCard,3,2026-12-31,true',
  'Mug,physical,lotteryGame,,,',
].join('\n');

test('a catalogue is previewed, imported once, changed by name, and exported to an equal one', async () => {
  const { server, run, gifts } = await shop();
  const previewed = await run('catalogue', catalogue, { preview: 'true' });
  assert.deepEqual([previewed.status, previewed.body.added, await gifts()], [200, 2, []]);
  assert.deepEqual(previewed.body, (await run('catalogue', catalogue)).body);
  const both = [
    ['Coffee', 'ticket', 'rewardsCard', true, 3, 0, '2026-12-30T16:00:00.000Z'],
    ['Mug', 'physical', 'lotteryGame', false, null, 0, null],
  ];
  assert.deepEqual(await gifts(), both);
  assert.deepEqual((await run('catalogue', catalogue)).body, {
    ...{ botId: server.botId, lines: 2, added: 0, updated: 0 },
  });
  const { text } = await server.call('exportData', { params: { what: 'catalogue' } });
  assert.deepEqual((await run('catalogue', text)).body, {
    ...{ botId: server.botId, lines: 2, added: 0, updated: 0 },
  });
  const botId = await server.addBot();
  const copied = await server.call('importData', {
    ...{ params: { what: 'catalogue', botId }, body: text, headers },
  });
  assert.equal(copied.body.added, 2);
  const changed = await run('catalogue', 'name,kind,resource,stock\nMug,physical,shop,5\n');
  assert.equal(changed.body.updated, 1);
  assert.deepEqual((await gifts())[1], ['Mug', 'physical', 'shop', false, 5, 0, null]);
});

test('an invalid catalogue is refused as a whole, with each invalid line', async () => {
  const { run, gifts } = await shop();
  const wrong = 'name,kind,resource,stock\nTea,ticket,shop,1\nCake,food,shop,1\nPen,virtual,shop,many\n';
  assert.deepEqual(problemOf(await run('catalogue', wrong, { preview: 'true' })), [
    400,
    'INPUT_INVALID',
    'Nothing was imported.\n  line 3: The kind must be one of ticket, physical, virtual, not "food".\n  ' +
      'line 4: The stock must be a whole number up to 1000000000, not "many".',
  ]);
  await run('catalogue', catalogue);
  const kind = problemOf(await run('catalogue', 'name,kind,resource\nTea,ticket,shop\nMug,virtual,shop\n'));
  assert.match(String(kind[2]), /line 3: The gift "Mug" is of the kind physical, which cannot change/);
  assert.equal((await gifts()).length, 2);
});

test('grants and redemptions are imported once, the oldest unused grant first, and bad lines are named', async () => {
  const { server, run, gifts } = await shop();
  await run('catalogue', catalogue);
  const granted = `platform,contact,gift\nline,${ada},Coffee\nline,${ada},Coffee\nline,${ben},Mug\n`;
  const counts = ({ body }: Awaited<ReturnType<typeof run>>) => [body.lines, body.written, body.repeated];
  assert.deepEqual(counts(await run('gifts', granted, { preview: 'true' })), [3, 3, 0]);
  assert.deepEqual(counts(await run('gifts', granted)), [3, 3, 0]);
  assert.deepEqual(counts(await run('gifts', granted)), [3, 0, 3]);
  const short = await run('gifts', `platform,contact,gift\nline,${ben},Coffee\nline,${ben},Coffee\n`);
  assert.deepEqual(problemOf(short), [
    409,
    'GIFT_OUT_OF_STOCK',
    'Nothing was imported.\n  line 3: All 3 of the gift Coffee are granted.',
  ]);
  const redeemed = `platform,contact,gift,key\nline,${ada},Coffee,r-1\n`;
  assert.deepEqual(counts(await run('redemptions', redeemed, { preview: 'true' })), [1, 1, 0]);
  assert.deepEqual(counts(await run('redemptions', redeemed)), [1, 1, 0]);
  assert.deepEqual(counts(await run('redemptions', redeemed)), [1, 0, 1]);
  type Grant = { grantId: number; name: string; giftId: string; platformContactId: string } & {
    redeemedAt: string | null;
  };
  const list = async (query = {}) => (await server.call('listGrants', { query })).body.grants as Grant[];
  const all = await list();
  assert.deepEqual(
    all.map(({ name, platformContactId, redeemedAt }) => [name, platformContactId, redeemedAt !== null]),
    [
      ['Mug', ben, false],
      ['Coffee', ada, false],
      ['Coffee', ada, true],
    ],
  );
  assert.deepEqual(
    (await list({ giftId: String(all[0]?.giftId) })).map(({ name }) => name),
    ['Mug'],
  );
  const first = await server.call('listGrants', { query: { limit: '2' } });
  const rest = await list({ cursor: String(first.body.nextCursor) });
  assert.deepEqual(
    rest.map(({ grantId }) => grantId),
    [all[2]?.grantId],
  );
  const exact = `platform,contact,gift,grant_id\nline,${ada},Coffee,${all[1]?.grantId}\nline,${ada},Coffee,\n`;
  const refused = problemOf(await run('redemptions', exact));
  assert.match(String(refused[2]), /line 3: The contact has no unused grant of the gift/);
  assert.deepEqual(counts(await run('redemptions', exact.split('\n').slice(0, 2).join('\n'))), [1, 1, 0]);
  assert.deepEqual((await gifts())[0]?.slice(4, 6), [3, 2]);
});

test('a redemption by number redeems only a grant of the named gift', async () => {
  const { server, run } = await shop();
  await run('catalogue', catalogue);
  await run('gifts', `platform,contact,gift\nline,${ada},Mug\n`);
  const [grant] = (await server.call('listGrants')).body.grants as { grantId: number }[];
  const line = (gift: string) => `platform,contact,gift,grant_id\nline,${ada},${gift},${grant?.grantId}\n`;
  assert.equal(problemOf(await run('redemptions', line('Coffee')))[1], 'GRANT_NOT_FOUND');
  assert.equal((await run('redemptions', line('Mug'))).body.written, 1);
});

test('a file without lines answers every count with 0', async () => {
  const { server, run } = await shop();
  const none = { botId: server.botId, lines: 0 };
  const columns = {
    contacts: 'platform,platform_contact_id',
    points: 'platform,contact,amount',
    catalogue: 'name,kind,resource',
    gifts: 'platform,contact,gift',
    redemptions: 'platform,contact,gift',
  };
  const answers: Record<string, unknown> = {};
  for (const [what, line] of Object.entries(columns)) answers[what] = (await run(what, `${line}\n`)).body;
  const changes = { ...none, written: 0, repeated: 0 };
  assert.deepEqual(answers, {
    contacts: { ...none, added: 0, updated: 0, tagged: 0 },
    catalogue: { ...none, added: 0, updated: 0 },
    ...{ points: changes, gifts: changes, redemptions: changes },
  });
});
