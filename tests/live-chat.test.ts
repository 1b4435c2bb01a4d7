/**
 * Live chat over real HTTP and real sockets: what a visitor sends is there for both sides, in order, once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ulid } from 'ulid';
import { addLiveChat, visit } from './harness/live-chat.ts';
import { testServer } from './harness/server.ts';

test('a visitor writes, both sides read it in order, and it counts as a message of a follower', async (t) => {
  const server = await testServer(t);
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey, { language: 'ja', name: '王小明' });
  const socket = visitor.socket();
  await socket.until(({ frames }) => frames.length > 0);
  assert.deepEqual(socket.frames[0], { type: 'ready', heartbeatSeconds: 30 });
  const messageId = ulid();
  const first = await visitor.send('請問今天可以出貨嗎？', messageId);
  assert.equal(first.status, 201, JSON.stringify(first.body));
  assert.equal(first.body.sequence, 1);
  await visitor.send('two');
  await visitor.send('three');
  await socket.until((one) => one.messages().length === 3);
  assert.deepEqual(
    socket.messages().map(({ text }) => text),
    ['請問今天可以出貨嗎？', 'two', 'three'],
  );
  const again = await visitor.send('請問今天可以出貨嗎？', messageId);
  assert.deepEqual([again.status, again.body], [200, first.body]);
  await server.folded();
  const totals = await server.sql`
    select followers, inbound, outbound from totals where bot_id = ${botId} and platform = 'liveChat'`;
  assert.deepEqual([...totals], [{ followers: 1, inbound: 3, outbound: 0 }]);
  socket.close();
});
