import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { databaseEnvironment, dataFolder, type ShoalEnvironment, shoal } from '../../tests/harness/cli.ts';
import type { Sql } from '../database/client.ts';

const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const liveMsMax = 300_000;
const checkMs = 500;

test('the demo of any seed ends with correct figures, calls to paste and live traffic, and a second run uses the same bot', async (t) => {
  const home = await placeWithDatabase(t);
  const stdout = await demoUntilLive(home);
  assert.match(stdout, /^Shoal demo: bot \w+, seed 2\./);
  assert.match(stdout, /^All \d+ figures are the truth\.$/m);
  for (const platform of ['line', 'facebook', 'instagram', 'whatsapp']) {
    assert.match(stdout, new RegExp(`^✓ +names of people on ${platform} +[1-9]`, 'm'));
    assert.match(stdout, new RegExp(`^✓ +${platform} \\w+ of 50 days, ours and theirs +\\d`, 'm'));
    assert.match(stdout, new RegExp(`^${platform}, our count and the platform's`, 'm'));
  }
  assert.equal([...stdout.matchAll(/^curl -s 'http:\/\/[^']+\/api\/openapi\//gm)].length, 3);
  assert.match(stdout, /^\d{4}-\d{2}-\d{2} .* before-connected/m, "LINE's count compared with ours");
  assert.match(stdout, /^curl -s 'http:\/\/[^']+\/reconciliation'/m);
  assert.match(stdout, /^http:\/\/[^ ]+\/webhooks\/\w+\/whatsapp$/m);
  assert.match(stdout, /sign in to it: +http:\/\/[^ ]+\/sign-in#token=shoal_admin_/);
  assert.match(stdout, /^A shop with the widget: http:\/\/127\.0\.0\.1:\d+\/$/m);
  await assertRich(home.sql);
  const again = await shoal(home, 'demo', '--once', '--port', '0', '--seed', '2');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(worldOf(again.stdout).botId, worldOf(stdout).botId);
  assert.ok(worldOf(again.stdout).eventCount > worldOf(stdout).eventCount);
});

/** Each page of the dashboard has data. */
async function assertRich(sql: Sql): Promise<void> {
  const counts = async (rows: Promise<Record<string, unknown>[]>) =>
    Object.fromEntries((await rows).map(({ name, count }) => [String(name), Number(count)]));
  const sends = await counts(sql`select kind as name, count(*) from line_sends group by kind`);
  for (const kind of ['reply', 'push', 'multicast', 'broadcast'])
    assert.ok((sends[kind] ?? 0) >= 5, `${kind}: ${sends[kind]}`);
  const statistics = await sql<{ overview: Record<string, number> }[]>`
    select value->'overview' as overview from line_message_events`;
  const hasPeople = ({ overview }: { overview: Record<string, number> }) =>
    (overview.uniqueImpression ?? 0) > 20 && (overview.uniqueClick ?? 0) > 20;
  assert.ok(statistics.filter(hasPeople).length >= 5, 'broadcasts with opens and clicks');
  const [days] = await sql`
    select count(distinct entries.at::date) filter (where kind = 'earn') as earned,
      count(distinct entries.at::date) filter (where kind = 'spend') as spent
    from (select kind, created_at as at from point_entries) as entries`;
  const [quotas] = await sql`select count(distinct day) as days from snapshots where kind = 'quota'`;
  assert.ok(days && days.earned > 40 && days.spent > 30, JSON.stringify(days));
  assert.ok(quotas?.days >= 59, JSON.stringify(quotas));
  const nameShares = await sql<{ platform: string; share: number }[]>`
    select platform, avg((name is not null)::integer)::float8 as share
    from contacts left join contact_profiles using (bot_id, contact_id) where merged_into is null group by platform`;
  assert.equal(nameShares.length, 5);
  // On Messenger and Instagram to the people of the last 20 hours, who may be few or none.
  const metaSends = await sql<{ platform: string; state: string; accepted: string }[]>`
    select platform, state, accepted from sends`;
  assert.ok(
    metaSends.every(({ state }) => state === 'done'),
    JSON.stringify(metaSends),
  );
  assert.ok(metaSends.some(({ platform, accepted }) => platform === 'whatsapp' && Number(accepted) >= 3));
  const pictures = await counts(
    sql`select platform as name, count(picture_url) from contacts join contact_profiles using (bot_id, contact_id) group by platform`,
  );
  for (const platform of ['line', 'facebook', 'instagram'])
    assert.ok((pictures[platform] ?? 0) > 20, `${platform}: ${pictures[platform]}`);
  for (const { platform, share } of nameShares) assert.ok(share > 0.75, `${platform}: ${share} have a name`);
  const senders = await counts(sql`select sender as name, count(*) from chat_messages group by sender`);
  for (const sender of ['visitor', 'agent', 'bot']) assert.ok((senders[sender] ?? 0) >= 10, sender);
}

test('a port in use is an error with a remedy', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const home = await placeWithDatabase(t);
  const { code, stderr } = await shoal(home, 'demo', '--once', '--port', `${port}`);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^shoal: .*:${port} is in use by another program\\. .*--port`, 'm'));
});

test('a seed that is not a number is refused', async (t) => {
  const home = await placeWithDatabase(t);
  const { code, stderr } = await shoal(home, 'demo', '--seed', 'spring');
  assert.equal(code, 1);
  assert.match(stderr, /--seed must be a whole number/);
});

/** A data folder for the demo's state, and a running database. */
async function placeWithDatabase(t: TestContext): Promise<ShoalEnvironment & { sql: Sql }> {
  const database = await databaseEnvironment(t);
  const { env } = await dataFolder(t);
  return { ...database, env: { ...env, ...database.env } };
}

/**
 * Runs the demo of seed 2 until it has compared live traffic once and a new contact has a name, then stops it like Ctrl-C. Returns its
 * output.
 */
async function demoUntilLive(home: ShoalEnvironment): Promise<string> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program, 'demo', '--port', '0', '--seed', '2'], {
    env: { PATH, ...home.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const { promise: live, resolve, reject } = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
    if (/ live · .* figures right/.test(stderr)) resolve();
  });
  child.once('close', () => reject(new Error(`the demo ended: ${stdout}${stderr}`)));
  const timeout = setTimeout(() => reject(new Error(`no live traffic: ${stdout}${stderr}`)), liveMsMax);
  try {
    await live;
    await untilNewContactHasName(stdout);
  } finally {
    clearTimeout(timeout);
    child.kill('SIGINT');
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /(\d+) of \1 figures right/);
  return stdout;
}

async function untilNewContactHasName(stdout: string): Promise<void> {
  const [, address, token] = /sign in to it: +(http:\/\/[^ ]+)\/sign-in#token=(\S+)/.exec(stdout) ?? [];
  const newestContacts = async () => {
    const response = await fetch(`${address}/api/v1/bots/${worldOf(stdout).botId}/contacts?limit=200`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { contacts: { contactId: string; name: string | null }[] }).contacts;
  };
  const earlierIds = new Set((await newestContacts()).map(({ contactId }) => contactId));
  for (const end = Date.now() + liveMsMax; Date.now() < end; await pause(checkMs)) {
    if ((await newestContacts()).some(({ contactId, name }) => name !== null && !earlierIds.has(contactId)))
      return;
  }
  assert.fail('no new contact of the live traffic has a name');
}

function worldOf(stdout: string): { botId: string; eventCount: number } {
  const [, botId = ''] = /^Shoal demo: bot (\w+), seed \d+\./.exec(stdout) ?? [];
  const [, count = ''] = /^(\d+) events of 60 days/m.exec(stdout) ?? [];
  return { botId, eventCount: Number(count) };
}
