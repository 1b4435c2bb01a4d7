/**
 * `shoal export` as a process: complete files or none, readers that disconnect, Ctrl-C, and memory that does not grow with
 * the number of rows.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Sql } from '../src/database/client.ts';
import { databaseEnvironment, type ShoalEnvironment, shoal, shoalJson } from './harness/cli.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));

async function exportEnvironment(t: TestContext, events: number) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-export-'));
  t.after(() => rm(folder, { recursive: true }));
  const opened = await databaseEnvironment(t);
  await opened.sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'Asia/Taipei')`;
  await addEvents(opened.sql, 1, events);
  return { ...opened, folder, file: join(folder, 'events.csv') };
}

async function addEvents(sql: Sql, first: number, last: number): Promise<void> {
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
    select 'shop', 'line', '01' || md5(number::text), 'message-in', 'text', 'contact' || number % 1000,
      '2026-03-01'::timestamptz + number * interval '1 second', '2026-03-01'
    from generate_series(${first}::integer, ${last}::integer) number`;
}

/** Starts `shoal export` with the Node options of bin/shoal.js. */
function start({ env }: ShoalEnvironment, ...args: string[]): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, ['--max-semi-space-size=8', program, 'export', 'shop', 'events', ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

test('a file is readable by its owner only, replaces an existing one, and has the same content as stdout', async (t) => {
  const opened = await exportEnvironment(t, 3_000);
  const { file, folder } = opened;
  writeFileSync(file, 'before');
  const summary = await shoalJson(opened, 'export', 'shop', 'events', '--out', file);
  assert.deepEqual(summary, { botId: 'shop', what: 'events', format: 'csv', file, rows: 3_000 });
  const { stdout } = await shoal(opened, 'export', 'shop', 'events');
  assert.equal(readFileSync(file, 'utf8'), stdout);
  assert.equal(stdout.split('\n').length, 3_002);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['events.csv']);
});

test('an invalid export is rejected and leaves no file', async (t) => {
  const opened = await exportEnvironment(t, 1);
  const refused: [string[], RegExp, number][] = [
    [['shop', 'events', '--json'], /--json needs --out/, 1],
    [['shop', 'secrets'], /Allowed choices are contacts, events/, 2],
    [['shop', 'events', '--format', 'xlsx'], /Allowed choices are csv, ndjson/, 2],
    [
      ['unknown', 'events', '--out', opened.file],
      /There is no bot unknown\. shoal bot list shows all bot ids\./,
      1,
    ],
    [['shop', 'events', '--from', 'March', '--out', opened.file], /from must be a calendar day/, 1],
    [['shop', 'events', '--out', join(opened.folder, 'no', 'such')], /cannot be written: ENOENT/, 1],
  ];
  for (const [args, message, code] of refused) {
    const run = await shoal(opened, 'export', ...args);
    assert.match(run.stderr, message);
    assert.equal(run.code, code, String(args));
  }
  assert.deepEqual(readdirSync(opened.folder), []);
});

test('a reader that closes the pipe ends the export without an error', async (t) => {
  const child = start(await exportEnvironment(t, 50_000));
  const end = ended(child);
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.stdout?.destroy();
  assert.deepEqual([await end, said], [0, '']);
});

test('Ctrl-C ends the export, keeps the existing file and leaves no partial one', async (t) => {
  const opened = await exportEnvironment(t, 100_000);
  writeFileSync(opened.file, 'before');
  const child = start(opened, '--out', opened.file);
  const end = ended(child);
  let unfinished: string[] = [];
  while (unfinished.length === 0) {
    unfinished = readdirSync(opened.folder).filter(
      (name) => name.endsWith('.unfinished') && statSync(join(opened.folder, name)).size > 0,
    );
    await pause(5);
  }
  child.kill('SIGINT');
  assert.equal(await end, 130);
  assert.deepEqual(readdirSync(opened.folder), ['events.csv']);
  assert.equal(readFileSync(opened.file, 'utf8'), 'before');
});

const memoryMbMax = 230;
/** The growth of the runtime itself; 200,000 lines in memory would exceed it. */
const growthMbMax = 45;

test('memory stays within 230 MB and does not grow from 100,000 to 300,000 events', async (t) => {
  const opened = await exportEnvironment(t, 100_000);
  const small = await peakOf(opened);
  await addEvents(opened.sql, 100_001, 300_000);
  const large = await peakOf(opened);
  assert.deepEqual([small.lines, large.lines], [100_001, 300_001]);
  const measurement = `${small.mb} MB for 100,000 events, ${large.mb} MB for 300,000`;
  t.diagnostic(measurement);
  assert.ok(large.mb <= memoryMbMax, measurement);
  assert.ok(large.mb - small.mb <= growthMbMax, measurement);
});

/** Runs an export, reads its output, and returns the number of lines and the peak memory. */
async function peakOf(opened: ShoalEnvironment): Promise<{ lines: number; mb: number }> {
  const child = start(opened);
  const end = ended(child);
  let lines = 0;
  let mb = 0;
  child.stdout?.on('data', (bytes: Buffer) => {
    for (const byte of bytes) if (byte === 10) lines += 1;
    mb = Math.max(mb, peakMb(child.pid));
  });
  assert.equal(await end, 0);
  return { lines, mb };
}

/** The peak memory of the process so far (Linux). */
function peakMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return 0;
  }
}
