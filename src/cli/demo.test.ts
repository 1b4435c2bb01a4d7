import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { databasePlace, dataFolder, type Place, shoal } from '../../tests/harness/cli.ts';
import type { Sql } from '../database/client.ts';

const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const trickleMsMax = 120_000;
const lookMs = 500;

test('the demo ends with every figure right, calls to paste and live traffic, and knows its bot when it is run again', async (t) => {
  const place = await dataFolder(t);
  const stdout = await demoUntilLive(place);
  assert.match(stdout, /^All \d+ figures are the truth\.$/m);
  assert.match(stdout, /forged ones refused, 0 sent again\.$/m);
  assert.equal([...stdout.matchAll(/^curl -s 'http:\/\/[^']+\/api\/openapi\//gm)].length, 3);
  assert.match(stdout, /^\d{4}-\d{2}-\d{2} .* before-connected/m, "LINE's count beside our own");
  assert.match(stdout, /^curl -s 'http:\/\/[^']+\/reconciliation'/m);
  assert.match(stdout, /^http:\/\/[^ ]+\/webhooks\/\w+\/whatsapp$/m);
  assert.match(stdout, /sign in to it: +http:\/\/[^ ]+\/sign-in#token=shoal_admin_/);
  assert.match(stdout, /^A shop with the widget: http:\/\/127\.0\.0\.1:\d+\/$/m);
  const again = await shoal(place, 'demo', '--once', '--port', '0');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(happenings(again.stdout).botId, happenings(stdout).botId);
  assert.ok(happenings(again.stdout).count > happenings(stdout).count);
});

test('another seed is another world with a bot of its own', async (t) => {
  const place = await placeWithDatabase(t);
  const { code, stdout, stderr } = await shoal(place, 'demo', '--once', '--port', '0', '--seed', '2');
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^Shoal demo: bot \w+, seed 2\./);
  await assertRich(place.sql);
});

/** Each page of the dashboard has something to show. */
async function assertRich(sql: Sql): Promise<void> {
  const counts = async (rows: Promise<Record<string, unknown>[]>) =>
    Object.fromEntries((await rows).map(({ name, count }) => [String(name), Number(count)]));
  const sends = await counts(sql`select kind as name, count(*) from line_sends group by kind`);
  for (const kind of ['reply', 'push', 'multicast', 'broadcast'])
    assert.ok((sends[kind] ?? 0) >= 5, `${kind}: ${sends[kind]}`);
  const told = await sql<{ overview: Record<string, number> }[]>`
    select value->'overview' as overview from line_message_events`;
  const isWhole = ({ overview }: { overview: Record<string, number> }) =>
    (overview.uniqueImpression ?? 0) > 20 && (overview.uniqueClick ?? 0) > 20;
  assert.ok(told.filter(isWhole).length >= 5, 'broadcasts with opens and clicks');
  const [days] = await sql`
    select count(distinct entries.at::date) filter (where kind = 'earn') as earned,
      count(distinct entries.at::date) filter (where kind = 'spend') as spent,
      (select count(distinct day) from snapshots where kind = 'quota') as quotas
    from (select kind, created_at as at from point_entries) as entries`;
  assert.ok(days && days.earned > 40 && days.spent > 30 && days.quotas >= 59, JSON.stringify(days));
  const named = await sql<{ platform: string; share: number }[]>`
    select platform, avg((name is not null)::integer)::float8 as share
    from contacts left join contact_profiles using (bot_id, contact_id) where merged_into is null group by platform`;
  assert.equal(named.length, 5);
  for (const { platform, share } of named) assert.ok(share > 0.75, `${platform}: ${share} are named`);
  const senders = await counts(sql`select sender as name, count(*) from chat_messages group by sender`);
  for (const sender of ['visitor', 'agent', 'bot']) assert.ok((senders[sender] ?? 0) >= 10, sender);
}

test('a port that is taken is told, with what to do', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const place = await placeWithDatabase(t);
  const { code, stderr } = await shoal(place, 'demo', '--once', '--port', `${port}`);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^shoal: .*:${port} is in use by another program\\. .*--port`, 'm'));
});

test('a seed that is no number is refused', async (t) => {
  const place = await placeWithDatabase(t);
  const { code, stderr } = await shoal(place, 'demo', '--seed', 'spring');
  assert.equal(code, 1);
  assert.match(stderr, /--seed must be a whole number/);
});

/** A data folder for what the demo remembers, and a database that is up already. */
async function placeWithDatabase(t: TestContext): Promise<Place & { sql: Sql }> {
  const database = await databasePlace(t);
  const { env } = await dataFolder(t);
  return { ...database, env: { ...env, ...database.env } };
}

/**
 * Runs the demo until its live traffic has been compared once and a newcomer has a name, then stops it as Ctrl-C does; gives
 * what it printed.
 */
async function demoUntilLive(place: Place): Promise<string> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program, 'demo', '--port', '0'], {
    env: { PATH, ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const { promise: live, resolve, reject } = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (part) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part) => {
    stderr += part;
    if (/ live · .* figures right/.test(stderr)) resolve();
  });
  child.once('close', () => reject(new Error(`the demo ended: ${stdout}${stderr}`)));
  const late = setTimeout(() => reject(new Error(`no live traffic: ${stdout}${stderr}`)), trickleMsMax);
  try {
    await live;
    await untilNewcomerIsNamed(stdout);
  } finally {
    clearTimeout(late);
    child.kill('SIGINT');
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /(\d+) of \1 figures right/);
  return stdout;
}

async function untilNewcomerIsNamed(stdout: string): Promise<void> {
  const [, address, token] = /sign in to it: +(http:\/\/[^ ]+)\/sign-in#token=(\S+)/.exec(stdout) ?? [];
  const newest = async () => {
    const response = await fetch(`${address}/api/v1/bots/${happenings(stdout).botId}/contacts?limit=200`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { contacts: { contactId: string; name: string | null }[] }).contacts;
  };
  const known = new Set((await newest()).map(({ contactId }) => contactId));
  for (const end = Date.now() + trickleMsMax; Date.now() < end; await pause(lookMs)) {
    if ((await newest()).some(({ contactId, name }) => name !== null && !known.has(contactId))) return;
  }
  assert.fail('no newcomer of the live traffic has a name');
}

function happenings(stdout: string): { botId: string; count: number } {
  const [, botId = ''] = /^Shoal demo: bot (\w+), seed \d+\./.exec(stdout) ?? [];
  const [, count = ''] = /^(\d+) happenings of 60 days/m.exec(stdout) ?? [];
  return { botId, count: Number(count) };
}
