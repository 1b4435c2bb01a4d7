import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { auditPoints } from '../points/audit.ts';
import { availablePoints } from '../points/balances.ts';
import { register } from './points.ts';

/** A contact as the commands name it. */
const contact = ['line', 'U00000000000000000000000000000001'] as const;

const now = Date.parse('2026-03-01T00:00:00Z');

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'Asia/Taipei')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at) values
      ('shop', 'Ada', 'line', 'U00000000000000000000000000000001', now()), ('shop', 'Ben', 'facebook', '7000000000000001', now())`;
  return { sql, run: commandRunner(sql, register, { now }) };
}

async function balances(sql: Sql, contactIds = ['Ada', 'Ben'], at = now): Promise<(number | undefined)[]> {
  const points = await availablePoints(sql, { botId: 'shop', contactIds, now: at });
  assert.deepEqual(await auditPoints(sql, 'shop'), []);
  return contactIds.map((contactId) => points.get(contactId));
}

test('points are earned and spent, once for each key', async (t) => {
  const { sql, run } = await shop(t);
  const earned = await run('points', 'earn', 'shop', ...contact, '100', '--key', 'order 7', '--json');
  assert.deepEqual(JSON.parse(earned.out), {
    botId: 'shop',
    contactId: 'Ada',
    entryId: '1',
    key: 'order 7',
    kind: 'earn',
    amount: 100,
    available: 100,
    counterpartId: null,
    repeated: false,
    at: '2026-03-01T00:00:00.000Z',
  });
  const again = await run('points', 'earn', 'shop', ...contact, '100', '--key', 'order 7');
  assert.equal(again.out, '+100 points, 100 available. This key was used before; nothing changed.');
  assert.equal((await run('points', 'spend', 'shop', 'line', 'Ada', '30')).out, '-30 points, 70 available.');
  assert.equal((await run('points', 'spend', 'shop', 'line', 'Ada', '30')).out, '-30 points, 40 available.');
  await assert.rejects(run('points', 'spend', 'shop', ...contact, '41'), {
    code: 'POINTS_INSUFFICIENT',
  });
  await assert.rejects(run('points', 'earn', 'shop', ...contact, '0'), {
    code: 'INPUT_INVALID',
  });
  await assert.rejects(run('points', 'earn', 'shop', 'line', 'U00000000000000000000000000000009', '1'), {
    code: 'CONTACT_NOT_FOUND',
  });
  await assert.rejects(run('points', 'earn', 'none', ...contact, '1'), {
    code: 'BOT_NOT_FOUND',
  });
  assert.deepEqual(await balances(sql), [40, 0]);
});

test('an expiry time is an instant, or the start of a day in the bot’s zone', async (t) => {
  const { sql, run } = await shop(t);
  await run('points', 'earn', 'shop', ...contact, '5', '--expires-at', '2026-03-02');
  await run('points', 'earn', 'shop', ...contact, '7', '--expires-at', '2026-03-02T00:00:00+09:00');
  const days = [
    Date.parse('2026-03-01T14:59:59.999Z'),
    Date.parse('2026-03-01T15:00Z'),
    Date.parse('2026-03-01T16:00Z'),
  ];
  const left = await Promise.all(days.map((at) => balances(sql, ['Ada'], at)));
  assert.deepEqual(left.flat(), [12, 5, 0]);
  await assert.rejects(run('points', 'earn', 'shop', ...contact, '5', '--expires-at', '2026-03-01'), {
    code: 'INPUT_INVALID',
    message: /expired at 2026-02-28T16:00:00.000Z cannot be earned/,
  });
  await assert.rejects(run('points', 'earn', 'shop', ...contact, '5', '--expires-at', 'soon'), {
    code: 'INPUT_INVALID',
  });
});

test('history shows the entries, newest first, and the next page', async (t) => {
  const { run } = await shop(t);
  await run('points', 'earn', 'shop', ...contact, '100', '--key', 'a', '--expires-at', '2026-04-01T00:00Z');
  await run('points', 'spend', 'shop', ...contact, '30', '--key', 'b');
  const { out } = await run('points', 'history', 'shop', ...contact);
  assert.match(
    out,
    /^70 points available\.\n\d+ {2}2026-03-01T00:00:00\.000Z {2}spend {2}-30 = 70 {2}b\n\d+ {2}\S+ {2}earn {2}\+100 = 100 {2}until {2}2026-04-01T00:00:00\.000Z {2}a$/,
  );
  const first = JSON.parse(
    (await run('points', 'history', 'shop', ...contact, '--limit', '1', '--json')).out,
  );
  assert.deepEqual([first.contactId, first.available, first.entries.length], ['Ada', 70, 1]);
  const before = first.entries[0].entryId;
  const second = JSON.parse(
    (await run('points', 'history', 'shop', ...contact, '--before', before, '--json')).out,
  );
  assert.deepEqual(second.entries, [
    {
      entryId: second.entries[0].entryId,
      kind: 'earn',
      amount: 100,
      balanceAfter: 100,
      expiresAt: '2026-04-01T00:00:00.000Z',
      parts: null,
      key: 'a',
      counterpartId: null,
      reverses: null,
      reversedBy: null,
      reason: null,
      createdAt: '2026-03-01T00:00:00.000Z',
    },
  ]);
});

test('points are transferred, adjusted, reversed and cleared, once for each key', async (t) => {
  const { sql, run } = await shop(t);
  await run('points', 'earn', 'shop', ...contact, '100', '--expires-at', '2026-04-01');
  const sent = [
    'points',
    'transfer',
    'shop',
    ...contact,
    '7000000000000001',
    '40',
    '--to-platform',
    'facebook',
    '--key',
    'gift',
  ];
  const { entryId, ...result } = JSON.parse((await run(...sent, '--json')).out);
  assert.deepEqual([result.amount, result.available, result.counterpartId], [-40, 60, 'Ben']);
  assert.equal(
    (await run(...sent)).out,
    '-40 points, 60 available. This key was used before; nothing changed.',
  );
  await assert.rejects(
    run('points', 'transfer', 'shop', ...contact, 'U00000000000000000000000000000001', '1'),
    { code: 'INPUT_INVALID' },
  );
  const unknown = [
    ['U00000000000000000000000000000009', 'CONTACT_NOT_FOUND'],
    // An id of Messenger can never be one of LINE.
    ['7000000000000001', 'INPUT_INVALID'],
  ] as const;
  for (const [to, code] of unknown) {
    const sender = 'U00000000000000000000000000000001';
    await assert.rejects(run('points', 'transfer', 'shop', 'line', sender, to, '1'), { code });
  }
  assert.deepEqual(await balances(sql), [60, 40]);

  const adjusted = await run('points', 'adjust', 'shop', ...contact, '-10', '--reason', 'counted twice');
  assert.equal(adjusted.out, '-10 points, 50 available.');
  assert.match(
    (await run('points', 'history', 'shop', ...contact)).out,
    /adjust {2}-10 = 50 {2}counted twice/,
  );

  assert.equal(
    (await run('points', 'reverse', 'shop', ...contact, entryId)).out,
    '+40 points, 90 available.',
  );
  await assert.rejects(run('points', 'reverse', 'shop', ...contact, entryId), {
    code: 'ENTRY_NOT_REVERSIBLE',
  });
  await assert.rejects(run('points', 'reverse', 'shop', 'facebook', '7000000000000001', entryId), {
    code: 'ENTRY_NOT_FOUND',
  });
  await assert.rejects(run('points', 'reverse', 'shop', ...contact, 'first'), { code: 'INPUT_INVALID' });
  assert.deepEqual(await balances(sql), [90, 0]);
  assert.match(
    (await run('points', 'history', 'shop', ...contact)).out,
    new RegExp(
      `reverse  \\+40 = 90  from Ben  of ${entryId}  .*transfer  -40 = 60  to Ben  reversed by \\d+  gift`,
      's',
    ),
  );

  assert.equal(
    (await run('points', 'clear', 'shop', ...contact, '--key', 'leaves')).out,
    '-90 points, 0 available.',
  );
  assert.deepEqual(await balances(sql), [0, 0]);
});

test('a balance is shown for any time, and expiring points for a contact or the whole bot', async (t) => {
  const { run } = await shop(t);
  await run('points', 'earn', 'shop', ...contact, '5', '--expires-at', '2026-03-02');
  await run('points', 'earn', 'shop', ...contact, '7', '--expires-at', '2026-03-02T20:00+08:00');
  await run('points', 'earn', 'shop', 'facebook', '7000000000000001', '3', '--expires-at', '2026-05-01');
  const balance = async (...at: string[]) =>
    JSON.parse((await run('points', 'balance', 'shop', ...contact, '--json', ...at)).out).points;
  assert.deepEqual(
    [await balance(), await balance('--at', '2026-02-28'), await balance('--at', '2026-03-02')],
    [12, 0, 7],
  );

  assert.equal(
    (await run('points', 'expiring', 'shop', ...contact)).out,
    '12 points expire from 2026-03-01T00:00:00.000Z to 2026-03-31T00:00:00.000Z.\n2026-03-01T16:00:00.000Z  5\n2026-03-02T12:00:00.000Z  7',
  );
  assert.equal(
    (await run('points', 'expiring', 'shop')).out,
    '12 points expire from 2026-03-01T00:00:00.000Z to 2026-03-31T00:00:00.000Z.\n2026-03-02  12 of 1 contacts',
  );
  const range = ['--from', '2026-03-02T01:00+08:00', '--to', '2026-06-01'];
  assert.deepEqual(JSON.parse((await run('points', 'expiring', 'shop', ...range, '--json')).out), {
    botId: 'shop',
    timeZone: 'Asia/Taipei',
    from: '2026-03-01T17:00:00.000Z',
    to: '2026-05-31T16:00:00.000Z',
    expiring: [
      { day: '2026-03-02', points: 7, contacts: 1 },
      { day: '2026-05-01', points: 3, contacts: 1 },
    ],
  });
  await assert.rejects(run('points', 'expiring', 'shop', '--to', '2026-02-01'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('points', 'expiring', 'shop', 'line'), { code: 'INPUT_INVALID' });
});

test('the audit exits with 1 if a balance is incorrect', async (t) => {
  const { sql, run } = await shop(t);
  t.after(() => {
    process.exitCode = undefined;
  });
  await run('points', 'earn', 'shop', ...contact, '100');
  assert.equal((await run('points', 'audit', 'shop')).out, 'Every balance is correct.');
  assert.equal(process.exitCode, undefined);
  await sql`update point_accounts set balance = 99`;
  const { out } = await run('points', 'audit', 'shop', '--json');
  assert.deepEqual(JSON.parse(out), {
    botId: 'shop',
    right: false,
    differences: [
      {
        contactId: 'Ada',
        balance: 99,
        entries: 100,
        lots: 100,
        entriesOutOfLine: 0,
        unpaired: 0,
        unfounded: 0,
        nextExpiryRight: true,
      },
    ],
  });
  assert.equal(process.exitCode, 1);
  assert.match(
    (await run('points', 'audit', 'shop')).out,
    /^1 accounts are incorrect:\nAda: balance 99, entries 100/,
  );
});

const header = 'platform,contact,amount,expires_at,key';

test('a file of points is imported in its order, and a second import changes nothing', async (t) => {
  const { sql, run } = await shop(t);
  const lines = [
    header,
    'line,U00000000000000000000000000000001,100,2026-04-01,',
    'line,Ada,-30,,redeemed',
    'facebook,7000000000000001,5,2026-04-01T00:00:00Z,',
    'line,U00000000000000000000000000000001,-70,,',
  ];
  const path = await temporaryFile(t, `\uFEFF${lines.join('\r\n')}\r\n`);
  const first = await run('points', 'import', 'shop', path, '--json');
  assert.deepEqual(JSON.parse(first.out), { botId: 'shop', lines: 4, written: 4, repeated: 0 });
  assert.deepEqual(await balances(sql), [0, 5]);
  const again = await run('points', 'import', 'shop', path);
  assert.equal(again.out, 'All 4 lines were imported before. Nothing changed.');
  assert.deepEqual(await balances(sql), [0, 5]);
  const longer = await temporaryFile(
    t,
    `platform,contact,amount,key\nline,U00000000000000000000000000000001,-30,redeemed\nline,U00000000000000000000000000000001,8,new\n`,
  );
  assert.equal(
    (await run('points', 'import', 'shop', longer)).out,
    '1 of 2 lines imported, 1 were imported before.',
  );
  assert.deepEqual(await balances(sql), [8, 5]);
});

test('a file with wrong lines is refused completely, and the lines are named', async (t) => {
  const { sql, run } = await shop(t);
  const unreadable = [
    header,
    'line,U00000000000000000000000000000001,10,,',
    'line,U00000000000000000000000000000001,ten,,',
    'line,U00000000000000000000000000000001,0,,',
    'line,U00000000000000000000000000000001,-5,2026-04-01,',
    'line,,5,,',
    'line,U00000000000000000000000000000001,5,tomorrow,',
  ];
  await assert.rejects(run('points', 'import', 'shop', await temporaryFile(t, unreadable.join('\n'))), {
    code: 'INPUT_INVALID',
    message:
      /^Nothing was imported\.\n {2}line 3: .*\n {2}line 4: .*\n {2}line 5: .*\n {2}line 6: .*\n {2}line 7: The time must be .*$/,
  });
  const refused = [
    header,
    'line,U00000000000000000000000000000001,10,,a',
    'line,U00000000000000000000000000000001,-11,,b',
    'line,U00000000000000000000000000000009,1,,c',
    'line,U00000000000000000000000000000001,9,,a',
    'line,U00000000000000000000000000000001,1,2026-03-01,d',
    'line,U00000000000000000000000000000001,-10,,e',
  ];
  await assert.rejects(
    run('points', 'import', 'shop', await temporaryFile(t, refused.join('\n'))),
    (error: Error) => {
      const [first, ...rest] = error.message.split('\n');
      assert.equal(first, 'Nothing was imported.');
      const places = rest.map((line) => line.trim().split(':')[0]);
      assert.deepEqual(places.toSorted(), ['line 3', 'line 4', 'line 5', 'line 6']);
      return true;
    },
  );
  assert.deepEqual(await balances(sql), [0, 0]);
});

test('unknown contacts of a file are added on request', async (t) => {
  const { sql, run } = await shop(t);
  const path = await temporaryFile(
    t,
    'platform,contact,amount\nline,U00000000000000000000000000000009,10\nwhatsapp,886900000001,5\nline,U00000000000000000000000000000009,-4\n',
  );
  await assert.rejects(run('points', 'import', 'shop', path), { code: 'CONTACT_NOT_FOUND' });
  await run('points', 'import', 'shop', path, '--create-contacts');
  const added = await sql<{ contact_id: string }[]>`
    select contact_id from contacts where platform_contact_id in ('U00000000000000000000000000000009', '886900000001') order by platform`;
  assert.deepEqual(
    await balances(
      sql,
      added.map((row) => row.contact_id),
    ),
    [6, 5],
  );
});

test('two concurrent imports of ten thousand lines result in the sums of the file', async (t) => {
  const { sql, run } = await shop(t);
  const count = 10_000;
  const expected = new Map<string, number>();
  const lines = ['platform,contact,amount,expires_at'];
  for (let index = 0; index < count; index += 1) {
    const contact = `U${String((index * 7919) % 300).padStart(32, '0')}`;
    const before = expected.get(contact) ?? 0;
    const amount = index % 3 === 2 && before >= 4 ? -4 : (index % 9) + 1;
    expected.set(contact, before + amount);
    lines.push(`line,${contact},${amount},${amount > 0 && index % 2 ? '2027-01-01' : ''}`);
  }
  const path = await temporaryFile(t, lines.join('\n'));
  const runs = await Promise.all(
    [1, 2].map(() => run('points', 'import', 'shop', path, '--create-contacts', '--json')),
  );
  const written = runs.map(({ out }) => JSON.parse(out).written).toSorted((a, b) => a - b);
  assert.deepEqual(written, [0, count]);
  const rows = await sql<{ contact_id: string; platform_contact_id: string }[]>`
    select contact_id, platform_contact_id from contacts where platform = 'line'`;
  const contactIds = rows.map((row) => row.contact_id);
  assert.deepEqual(
    await balances(sql, contactIds),
    rows.map((row) => expected.get(row.platform_contact_id) ?? 0),
  );
});
