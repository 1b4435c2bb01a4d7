/**
 * Exports: their contents, their snapshot, and how they end.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { type ExportRequest, exportNames, tables, writeExport } from './export.ts';

const now = Date.parse('2026-03-02T00:00:00Z');
const never = new AbortController().signal;

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'Asia/Taipei'), ('other', 'x', 'UTC')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, followed_at, blocked, created_at)
    values ('shop', 'Ada', 'line', 'U1', null, '2026-02-28T16:00Z', true, '2026-03-01T15:59:59.999Z'),
      ('shop', 'Ben', 'whatsapp', '886912', null, null, false, '2026-02-28T15:59Z'),
      ('shop', 'BenToo', 'whatsapp', 'TW.1', 'Ben', null, false, '2026-03-01T00:00Z'),
      ('other', 'Eve', 'line', 'U1', null, null, false, '2026-03-01T00:00Z')`;
  await sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, name, user_phone, updated_at)
    values ('shop', 'Ada', 'C-1', '=Ada', '+886 2', now()), ('other', 'Eve', 'C-2', 'Eve', null, now())`;
  await sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at) values
      ('shop', 't1', 'manual', 'VIP', now(), now()), ('shop', 't2', 'manual', 'a|b', now(), now()),
      ('shop', 't3', 'automatic', 'warm', now(), now()), ('shop', 't4', 'personal', 'likes tea', now(), now())`;
  await sql`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at) values
      ('shop', 'Ada', 't2', '2026-01-02', null), ('shop', 'Ada', 't1', '2026-01-01', null),
      ('shop', 'Ada', 't4', '2026-01-01', null), ('shop', 'Ada', 't3', '2026-01-01', '2026-03-02')`;
  await sql`
    insert into point_accounts (bot_id, contact_id, balance, lasting, next_expiry_at)
    values ('shop', 'Ada', 70, 50, '2026-03-01')`;
  await sql`
    insert into point_lots (bot_id, contact_id, remaining, expires_at) values ('shop', 'Ada', 20, '2026-03-01')`;
  await sql`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, created_at) values
      ('shop', 'Ada', 'earn', 100, 100, null, '=k', '2026-02-28T16:00Z'),
      ('shop', 'Ada', 'spend', -30, 70, null, 'k2', '2026-03-01T16:00Z')`;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at) values
      ('shop', 'whatsapp', 'w1', 'message-out', 'sent', 'Ben', '2026-02-28T15:59:59.999Z', '2026-03-01T00:00Z'),
      ('shop', 'line', 'l2', 'message-in', 'text', 'Ada', '2026-02-28T16:00Z', '2026-02-28T16:00:01Z'),
      ('shop', 'line', 'l1', 'follow', null, 'Ada', '2026-02-28T16:00Z', '2026-02-28T16:00:01Z'),
      ('other', 'line', 'l1', 'follow', null, 'Eve', '2026-02-28T16:00Z', '2026-02-28T16:00:01Z')`;
  await sql`
    insert into conversations (bot_id, contact_id, first_at, last_at, platform, inbound, outbound) values
      ('shop', 'Ada', '2026-02-28T16:00Z', '2026-02-28T16:00:01.5Z', 'line', 2, 1),
      ('shop', 'Ben', '2026-02-28T15:59:59.999Z', '2026-02-28T15:59:59.999Z', 'whatsapp', 0, 1)`;
  const exportLines = async (what: ExportRequest['what'], options: Partial<ExportRequest> = {}) => {
    const pieces: string[] = [];
    await writeExport(
      sql,
      { botId: 'shop', what, format: 'csv', bom: false, from: undefined, to: undefined, ...options },
      { now, signal: never, write: async (piece) => void pieces.push(piece) },
    );
    return pieces.join('').split('\n').slice(0, -1);
  };
  return { sql, exportLines };
}

test('contacts come oldest first, with their current profile, tags and points', async (t) => {
  const { sql, exportLines } = await shop(t);
  const picture = 'https://profile.line-scdn.net/0h1';
  await sql`
    update contact_profiles set account_name = 'ada', picture_url = ${picture}, language = 'zh-TW', status_message = '=你好 🌸'
    where contact_id = 'Ada'`;
  const [head = '', ...lines] = await exportLines('contacts');
  assert.equal(head, tables.contacts.columns.join(','));
  assert.deepEqual(lines, [
    'Ben,whatsapp,886912,TW.1,,,,,,,,,,false,,,false,,,,,0,0,2026-02-28T15:59:00.000Z,2026-02-28,,,,',
    "Ada,line,U1,,C-1,'=Ada,,,,,'+886 2,,,true,2026-02-28T16:00:00.000Z,2026-03-01,true,2026-02-28T16:00:00.000Z," +
      `VIP|a\\|b,likes tea,,50,70,2026-03-01T15:59:59.999Z,2026-03-01,ada,${picture},zh-TW,'=你好 🌸`,
  ]);
  const [record = ''] = (await exportLines('contacts', { format: 'ndjson' })).slice(1);
  const ada = JSON.parse(record);
  assert.deepEqual(Object.keys(ada), tables.contacts.columns);
  assert.deepEqual([ada.picture_url, ada.language, ada.status_message], [picture, 'zh-TW', '=你好 🌸']);
  assert.deepEqual([ada.tags, ada.automatic_tags, ada.name, ada.points], [['VIP', 'a|b'], [], '=Ada', 50]);
});

test('events, conversations and point entries come in order, with the day in the bot’s zone', async (t) => {
  const { exportLines } = await shop(t);
  assert.deepEqual(await exportLines('events'), [
    tables.events.columns.join(','),
    'line,l1,follow,,Ada,2026-02-28T16:00:00.000Z,2026-03-01,2026-02-28T16:00:01.000Z',
    'line,l2,message-in,text,Ada,2026-02-28T16:00:00.000Z,2026-03-01,2026-02-28T16:00:01.000Z',
    'whatsapp,w1,message-out,sent,Ben,2026-02-28T15:59:59.999Z,2026-02-28,2026-03-01T00:00:00.000Z',
  ]);
  assert.deepEqual(await exportLines('conversations'), [
    tables.conversations.columns.join(','),
    'Ada,line,2026-02-28T16:00:00.000Z,2026-02-28T16:00:01.500Z,2026-03-01,2,1,3,1500',
  ]);
  const entries = (await exportLines('points')).map((line) => line.replace(/,\d+,(earn|spend)/, ',#,$1'));
  assert.deepEqual(entries, [
    tables.points.columns.join(','),
    "Ada,line,U1,#,earn,100,100,,'=k,2026-02-28T16:00:00.000Z,2026-03-01",
    'Ada,line,U1,#,spend,-30,70,,k2,2026-03-01T16:00:00.000Z,2026-03-02',
  ]);
});

test('a range consists of days of the bot’s zone, both included', async (t) => {
  const { exportLines } = await shop(t);
  const keys = async (options: Partial<ExportRequest>) =>
    (await exportLines('events', options)).slice(1).map((line) => line.split(',')[1]);
  assert.deepEqual(await keys({ to: '2026-02-28' }), ['w1']);
  assert.deepEqual(await keys({ from: '2026-03-01', to: '2026-03-01' }), ['l1', 'l2']);
  assert.deepEqual(await keys({ from: '2026-03-02' }), []);
  assert.equal((await exportLines('points', { from: '2026-03-02' })).length, 2);
  assert.equal((await exportLines('contacts', { from: '2026-03-01' })).length, 2);
  const wrong = [{ from: '2026-3-1' }, { to: '1999-12-31' }, { from: '2026-03-02', to: '2026-03-01' }];
  for (const options of wrong)
    await assert.rejects(exportLines('events', options), { code: 'INPUT_INVALID' });
  await assert.rejects(exportLines('events', { botId: 'unknown' }), { code: 'BOT_NOT_FOUND' });
});

test('figures have a row for each day of the range and each platform with a channel', async (t) => {
  const { sql, exportLines } = await shop(t);
  assert.equal((await exportLines('figures', { from: '2026-03-01' })).length, 1);
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'whatsapp', ''), ('shop', 'line', '')`;
  assert.equal((await exportLines('figures')).length, 1);
  await sql`
    insert into days (bot_id, platform, zone, day, inbound, outbound, blocks, conversation_ms) values
      ('shop', 'line', 'Asia/Taipei', '2026-03-01', 2, 3, -1, 1500), ('shop', 'line', 'Asia/Tokyo', '2026-03-04', 2, 3, 0, 0),
      ('shop', 'whatsapp', 'Asia/Taipei', '2026-03-02', 0, 1, 0, 0)`;
  await sql`
    insert into snapshots (bot_id, kind, day, status, value, received_at)
    values ('shop', 'delivery', '2026-03-01', 'ready', '{"status": "ready", "apiPush": 3}', now())`;
  assert.deepEqual(await exportLines('messages'), [
    'day,platform,inbound,outbound,messages',
    '2026-03-01,line,2,3,5',
    '2026-03-01,whatsapp,0,0,0',
    '2026-03-02,line,0,,',
    '2026-03-02,whatsapp,0,1,1',
  ]);
  const figures = await exportLines('figures', { from: '2026-02-28', to: '2026-03-01' });
  assert.deepEqual(figures.slice(1), [
    '2026-02-28,line,0,0,0,,,0,0,0',
    '2026-02-28,whatsapp,0,0,0,0,0,0,0,0',
    '2026-03-01,line,0,-1,2,3,5,0,0,1500',
    '2026-03-01,whatsapp,0,0,0,0,0,0,0,0',
  ]);
  const years = await exportLines('messages', { from: '2024-01-01', to: '2027-12-31' });
  assert.equal(years.length - 1, 2 * (366 + 3 * 365));
  assert.equal(years.filter((line) => line.endsWith(',5')).length, 1);
});

test('each table counts its rows in advance', async (t) => {
  const { sql, exportLines } = await shop(t);
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'line', '')`;
  for (const what of exportNames) {
    const rows = (await exportLines(what)).length - 1;
    const progress: number[][] = [];
    const request = {
      botId: 'shop',
      what,
      format: 'csv',
      bom: false,
      from: undefined,
      to: undefined,
    } as const;
    const result = await writeExport(sql, request, {
      now,
      signal: never,
      write: async () => undefined,
      progress: (...numbers) => progress.push(numbers),
    });
    assert.equal(result.rows, rows, what);
    assert.deepEqual(progress, rows === 0 ? [] : [[rows, rows]], what);
  }
});

const allEvents: ExportRequest = {
  botId: 'shop',
  what: 'events',
  format: 'ndjson',
  bom: false,
  from: undefined,
  to: undefined,
};

async function addEvents(sql: Sql, count: number): Promise<void> {
  await sql`
    insert into events (bot_id, platform, key, kind, happened_at, received_at)
    select 'shop', 'line', 'e' || lpad(number::text, 6, '0'), 'other', '2026-03-01', '2026-03-01'
    from generate_series(1, ${count}::integer) number`;
}

test('an export is one snapshot, regardless of writes while it runs', async (t) => {
  const { sql } = await shop(t);
  await addEvents(sql, 2_000);
  let text = '';
  const { rows } = await writeExport(sql, allEvents, {
    now,
    signal: never,
    async write(piece) {
      text += piece;
      await sql`delete from events where bot_id = 'shop' and key > 'e001000'`;
      await sql`insert into events (bot_id, platform, key, kind, happened_at, received_at)
        values ('shop', 'line', 'z', 'other', now(), now()) on conflict do nothing`;
    },
  });
  assert.equal(rows, 2_003);
  assert.equal(text.split('\n').length - 1, rows);
});

test('a failed writer and an abort end the query at once and leave no transaction', async (t) => {
  const { sql } = await shop(t);
  await addEvents(sql, 5_000);
  const failing = writeExport(sql, allEvents, {
    now,
    signal: never,
    write: () => Promise.reject(new Error('the reader is gone')),
  });
  await assert.rejects(failing, { message: 'the reader is gone' });
  const stop = new AbortController();
  // Another transaction locks the rows, so the export waits in PostgreSQL.
  const { promise: locked, resolve: hold } = Promise.withResolvers<void>();
  const { promise: over, resolve: release } = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`lock table events in access exclusive mode`;
    hold();
    await over;
  });
  await locked;
  setTimeout(() => stop.abort(new Error('stopped')), 100);
  const startedAt = performance.now();
  const waiting = writeExport(sql, allEvents, { now, signal: stop.signal, write: async () => undefined });
  await assert.rejects(waiting, { message: 'stopped' });
  assert.ok(performance.now() - startedAt < 5_000);
  release();
  await holding;
  const open = await sql`
    select query from pg_stat_activity
    where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`;
  assert.deepEqual([...open], []);
});

test('a reader that stops cancels no later statement of its connection', async (t) => {
  const { sql } = await shop(t);
  await addEvents(sql, 5_000);
  for (let round = 0; round < 100; round += 1) {
    const failing = writeExport(sql, allEvents, {
      now,
      signal: never,
      write: () => Promise.reject(new Error('the reader is gone')),
    });
    await assert.rejects(failing, { message: 'the reader is gone' });
    // One statement for each connection of the pool.
    await Promise.all(Array.from({ length: 8 }, () => sql`select 1`));
  }
});

test('a lost connection fails the export, even while its reader pauses, and the next export works', async (t) => {
  const { sql } = await shop(t);
  await addEvents(sql, 5_000);
  let pieces = 0;
  const cut = writeExport(sql, allEvents, {
    now,
    signal: never,
    async write() {
      pieces += 1;
      if (pieces !== 3) return;
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ~ 'from exported' and pid <> pg_backend_pid()`;
      await pause(200);
    },
  });
  await assert.rejects(cut);
  assert.ok(pieces < 6, `${pieces} pieces`);
  const { rows } = await writeExport(sql, allEvents, { now, signal: never, write: async () => undefined });
  assert.equal(rows, 5_003);
});

test('one connection can run exports of several kinds in turn', async (t) => {
  const { exportLines } = await shop(t);
  const first = [await exportLines('contacts'), await exportLines('events'), await exportLines('points')];
  const again = [await exportLines('contacts'), await exportLines('events'), await exportLines('points')];
  assert.deepEqual(again, first);
});
