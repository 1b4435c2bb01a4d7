/**
 * Shoal killed during sends through its gateway, especially between LINE's response and ours. Every confirmed send is recorded. A send
 * repeated with its retry key is sent and recorded once. No send is recorded that LINE did not accept.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../simulator/events/random.ts';
import {
  databaseEnvironment,
  type Serving,
  type ShoalEnvironment,
  serve,
  shoalJson,
} from '../harness/cli.ts';
import { fakeLine, type Received } from '../harness/fake-line.ts';
import { waitUntilFolded } from '../harness/server.ts';
import { lineSecret, lineUser } from '../harness/webhooks.ts';

const seed = 20_260_302;
const kills = 4;
const callers = 4;
const token = 'channel-access-token';
/** Sends that LINE accepts between two kills, and the longest time between LINE's response and the kill. */
const sendsMax = 12;
const momentMsMax = 4;

type Caller = { address: string; isOver: boolean };

/** Sends with a retry key until LINE accepts it, then the next one. Without a key, it never repeats a send. */
async function keepSending(
  caller: Caller,
  random: SeededRandom,
  { name, confirmed }: { name: string; confirmed: Set<string> },
): Promise<void> {
  for (let count = 1; !caller.isOver; count++) {
    const id = `${name}-${count}`;
    const retryKey = random.chance(0.7) ? { 'x-line-retry-key': id } : {};
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...retryKey };
    const body = JSON.stringify({ to: lineUser(id), messages: [{ type: 'text', text: id }] });
    for (;;) {
      const url = `${caller.address}/v2/bot/message/push`;
      const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => null);
      await answer?.body?.cancel().catch(() => undefined);
      if (answer?.status === 200 || answer?.status === 409) confirmed.add(id);
      if (confirmed.has(id) || !('x-line-retry-key' in retryKey)) break;
      await pause(20);
    }
  }
}

async function surviveKills(t: TestContext, random: SeededRandom): Promise<void> {
  const line = await fakeLine(t);
  const environment = await databaseEnvironment(t);
  const botId = await connectBot(environment);
  const start = (): Promise<Serving> => serve(environment, '--line-api', line.address);
  let serving = await start();
  const caller: Caller = { address: serving.address, isOver: false };
  const confirmed = new Set<string>();
  const sending = Array.from({ length: callers }, (_, index) =>
    keepSending(caller, random, { name: `caller-${index}`, confirmed }),
  );
  for (let kill = 1; kill <= kills; kill++) {
    const expectedCount = line.requests.length + random.integer(1, sendsMax);
    while (line.requests.length < expectedCount) await pause(1);
    await pause(random.integer(0, momentMsMax));
    await serving.kill();
    serving = await start();
    caller.address = serving.address;
  }
  caller.isOver = true;
  await Promise.all(sending);
  await waitUntilFolded(environment.sql);
  const accepted = acceptedByLine(line.requests);
  const sends = await environment.sql<{ person: string }[]>`
    select platform_contact_id as person from line_sends
    join events on events.bot_id = line_sends.bot_id and events.key = 'send:' || request_id
    join contacts on contacts.bot_id = events.bot_id and contacts.contact_id = events.contact_id`;
  const recorded = sends.map(({ person }) => person);
  assert.equal(new Set(recorded).size, recorded.length, 'a send was recorded twice');
  for (const id of confirmed)
    assert.ok(recorded.includes(lineUser(id)), `${id} was confirmed but not recorded`);
  for (const person of recorded)
    assert.equal(accepted.get(person), 1, `LINE accepted the recorded send to ${person} not exactly once`);
  const [total] = await environment.sql<{ outbound: number }[]>`
    select outbound from totals where bot_id = ${botId} and platform = 'line'`;
  assert.equal(total?.outbound, recorded.length);
  assert.deepEqual((await shoalJson(environment, 'recount', botId, '--check')).differences, []);
  t.diagnostic(
    `${confirmed.size} sends confirmed, ${recorded.length} recorded, ${line.requests.length} calls of LINE`,
  );
}

/** The number of accepted messages for each person. LINE accepts a repeated retry key once. */
function acceptedByLine(requests: readonly Received[]): Map<string, number> {
  const keys = new Set<string>();
  const accepted = new Map<string, number>();
  for (const { body, headers } of requests) {
    const { to } = JSON.parse(String(body));
    const retryKey = headers['x-line-retry-key'];
    if (typeof retryKey === 'string' && keys.has(retryKey)) continue;
    if (typeof retryKey === 'string') keys.add(retryKey);
    accepted.set(to, (accepted.get(to) ?? 0) + 1);
  }
  return accepted;
}

async function connectBot(environment: ShoalEnvironment): Promise<string> {
  const bot = String((await shoalJson(environment, 'bot', 'create', '--name', 'gateway')).botId);
  const channel = ['--channel-secret', lineSecret, '--channel-access-token', token];
  await shoalJson(environment, 'channel', 'set', bot, 'line', ...channel);
  return bot;
}

test(`no confirmed send is lost and none is counted twice after ${kills} kills during sends`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  await surviveKills(t, new SeededRandom(seed));
});
