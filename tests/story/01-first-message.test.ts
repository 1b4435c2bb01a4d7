/**
 * Chapter 1: from an empty data folder to the first correct figures.
 *
 * A new bot, a LINE channel, the server, LINE's deliveries of an hour on 1 March 2026, and two calls of the MantaGo API. This
 * is the worked example of docs/figures.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataFolder, serve, shoalJson } from '../harness/cli.ts';
import {
  deliver,
  type LineHappening,
  lineBody,
  lineDestination,
  lineSecret,
  lineUser,
} from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

/** A time of that day in Taipei. */
function at(time: string): number {
  return Date.parse(`2026-03-01T${time}+08:00`);
}

test('a new bot counts its followers, blocks, messages and conversations', async (t) => {
  // Shoal needs only a data folder. It creates its database and its key file there.
  const environment = await dataFolder(t);

  // npx shoal bot create --name "Tea shop" --time-zone Asia/Taipei --json
  const created = await shoalJson(
    environment,
    'bot',
    'create',
    '--name',
    'Tea shop',
    '--time-zone',
    'Asia/Taipei',
  );
  assert.deepEqual(Object.keys(created).sort(), ['apiSecret', 'apiToken', 'botId']);
  const pair = pairOf(created);
  const { botId } = pair;

  // npx shoal channel set BOT line --channel-secret … --destination U…
  const credentials = ['--channel-secret', lineSecret, '--destination', lineDestination];
  await shoalJson(environment, 'channel', 'set', botId, 'line', ...credentials);

  // npx shoal serve
  const { address } = await serve(environment);

  // The webhook URL to enter at LINE is /webhooks/BOT/line. LINE signs and delivers events:
  const comes = async (happenings: LineHappening[], isRedelivery = false) => {
    const answer = await deliver(address, { botId, platform: 'line' }, lineBody(happenings, isRedelivery));
    assert.equal(answer.status, 200);
  };
  const firstMessage = { type: 'message', id: 'm1', user: 'A', at: at('10:01:00') } as const;
  // A follows and sends a message. 15 minutes later A sends another one, in the same conversation.
  await comes([{ type: 'follow', id: 'f1', user: 'A', at: at('10:00:00') }]);
  await comes([firstMessage]);
  await comes([{ type: 'message', id: 'm2', user: 'A', at: at('10:16:00') }]);
  // After a pause of 15 minutes and one second a new conversation begins.
  await comes([{ type: 'message', id: 'm3', user: 'A', at: at('10:31:01') }]);
  // B follows and blocks within five minutes.
  await comes([{ type: 'follow', id: 'f2', user: 'B', at: at('11:00:00') }]);
  await comes([{ type: 'unfollow', id: 'u1', user: 'B', at: at('11:05:00') }]);
  // LINE redelivers A's first message, which does not count again.
  await comes([firstMessage], true);
  // C blocks without an earlier event, so C must have been a friend.
  await comes([{ type: 'unfollow', id: 'u2', user: 'C', at: at('12:00:00') }]);

  // npx shoal tag add BOT line U… regular
  // The tag is for A, so A's first delivery must have been counted, which takes well under a second.
  const clients = () => call(`${address}/openapi/clients/analysis`, pair, { platform: 'line' });
  await becomes(async () => part(await clients(), 'lineMessageNumbers', 'lineBlocks'), [3, 2]);
  await shoalJson(environment, 'tag', 'add', botId, 'line', lineUser('A'), 'regular');

  // POST /openapi/clients/analysis
  const { status, body } = await clients();
  assert.equal(status, 200);
  assert.deepEqual(body, {
    success: true,
    message: 'Get client analysis successfully',
    clientAnalysis: {
      lineFollowers: 3,
      lineBlocks: 2,
      lineGenders: [],
      lineAges: [],
      lineAreas: [],
      lineAppTypes: [],
      lineMessageNumbers: 3,
      lineIsIntegration: true,
      lineTagCoverRate: 0.3333,
    },
  });

  // POST /openapi/message/analysis: two conversations, of two messages over 900 s and of one message.
  const messages = await call(`${address}/openapi/message/analysis`, pair);
  assert.equal(messages.status, 200);
  assert.equal(messages.body.lineAverageConversationValue, 2);
  assert.equal(messages.body.lineAverageConversationTime, 450);
  assert.equal(messages.body.lineIsIntegration, true);
  assert.equal(messages.body.whatsappIsIntegration, false);
});

function part({ body }: { body: Record<string, unknown> }, ...names: string[]): unknown[] {
  const figures = Object(body.clientAnalysis) as Record<string, unknown>;
  return names.map((name) => figures[name]);
}
