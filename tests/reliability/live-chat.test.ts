/**
 * Live chat through two processes on one database, with kill -9 of one under load. Each acknowledged message exists and counts once, in
 * the same order for both sides.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { JsonObject } from '../../src/json.ts';
import { databaseEnvironment, serve, shoalJson } from '../harness/cli.ts';
import { openSocket, type Socket, visit } from '../harness/live-chat.ts';
import { waitUntilFolded } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const visitorsCount = 4;
const eachCount = 30;
const pauseMs = 30;
const attemptsMax = 200;

test('a kill of one of two processes while visitors and agents write loses and doubles nothing', async (t) => {
  const database = await databaseEnvironment(t);
  const environment = {
    ...database,
    env: {
      ...database.env,
      SHOAL_CHAT_VISITOR_LIMIT: '0',
      SHOAL_CHAT_ADDRESS_LIMIT: '0',
      SHOAL_ADMIN_RATE_LIMIT: '0',
    },
  };
  const { sql } = database;
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'Shop');
  const bot = String(botId);
  const { widgetKey } = await shoalJson(environment, 'channel', 'set', bot, 'liveChat');
  const { token } = await shoalJson(environment, 'admin-token', 'create', '--scope', 'write');
  const [first, second] = await Promise.all([serve(environment), serve(environment)]);
  const addresses = [first.address, second.address];

  const visitors = await Promise.all(
    Array.from({ length: visitorsCount }, (_, number) =>
      visit(addresses[number % 2] ?? '', String(widgetKey)),
    ),
  );
  // A widget reconnects with its cursor to either process.
  const inboxes = visitors.map((visitor, number) =>
    keepOpen(addresses, number, visitor.token, String(widgetKey)),
  );
  const acknowledged = new Map<string, JsonObject>();
  /** Sends until it is acknowledged, at the other process when one does not answer. */
  const send = async (
    at: number,
    post: (address: string) => Promise<{ status: number; body: JsonObject }>,
  ) => {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const answer = await post(addresses[(at + attempt) % 2] ?? '').catch(() => null);
      if (answer?.status === 200 || answer?.status === 201) {
        acknowledged.set(String(answer.body.messageId), answer.body);
        return;
      }
      await pause(20);
    }
    assert.fail('a message was never acknowledged');
  };
  const answer = (visitorId: string, body: object) => async (address: string) => {
    const response = await fetch(`${address}/api/v1/bots/${bot}/chats/${visitorId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as JsonObject };
  };
  const talking = visitors.flatMap((visitor, number) =>
    ['visitor', 'agent'].map(async (from) => {
      for (let count = 0; count < eachCount; count += 1) {
        const messageId = ulid();
        const text = `${from} ${count}`;
        await send(
          number + count,
          from === 'visitor'
            ? (address) => visitor.send(text, messageId, address)
            : answer(visitor.visitorId, { messageId, text }),
        );
        await pause(pauseMs);
      }
    }),
  );
  while (acknowledged.size < visitorsCount * eachCount * 0.5) await pause(10);
  await first.kill();
  await Promise.all(talking);

  const total = visitorsCount * eachCount * 2;
  assert.equal(acknowledged.size, total);
  for (const [number, visitor] of visitors.entries()) {
    const storedMessages = (await allMessages(visitor, second.address)).map((message) =>
      JSON.stringify(message),
    );
    const acknowledgedHere = [...acknowledged.values()].filter((message) =>
      storedMessages.includes(JSON.stringify(message)),
    );
    assert.equal(storedMessages.length, eachCount * 2, 'every acknowledged message is stored once');
    assert.equal(acknowledgedHere.length, storedMessages.length);
    const inbox = inboxes[number];
    await until(() => (inbox?.frames.length ?? 0) >= storedMessages.length);
    assert.deepEqual(
      inbox?.frames.map((message) => JSON.stringify(message)),
      storedMessages,
      'the socket receives each message once, in order',
    );
    inbox?.stop();
  }
  await waitUntilFolded(sql);
  const counted = await sql`select followers, inbound, outbound from totals where platform = 'liveChat'`;
  assert.deepEqual([...counted], [{ followers: visitorsCount, inbound: total / 2, outbound: total / 2 }]);
  assert.deepEqual((await shoalJson(environment, 'recount', bot, '--check')).differences, []);
});

async function allMessages(
  { call }: Awaited<ReturnType<typeof visit>>,
  address: string,
): Promise<JsonObject[]> {
  const { body } = await call('messages?after=0&limit=200', {}, address);
  return body.messages as JsonObject[];
}

/** Keeps a socket open, first at the address of `number`, and collects its frames. */
function keepOpen(addresses: readonly string[], number: number, visitorToken: string, widgetKey: string) {
  const frames: JsonObject[] = [];
  let isOver = false;
  let current: Socket | undefined;
  const run = async () => {
    for (let attempt = number; !isOver; attempt += 1) {
      const after = Number(frames.at(-1)?.sequence ?? 0);
      const url = `${addresses[attempt % 2]}/live-chat/v1/${widgetKey}/socket`;
      const socket = openSocket(url, { type: 'hello', visitorToken, after });
      current = socket;
      let readCount = 0;
      while (socket.code === null && !isOver) {
        await pause(5);
        const messages = socket.messages();
        frames.push(...messages.slice(readCount));
        readCount = messages.length;
      }
      frames.push(...socket.messages().slice(readCount));
      await pause(20);
    }
  };
  void run();
  return {
    frames,
    stop() {
      isOver = true;
      current?.close();
    },
  };
}
