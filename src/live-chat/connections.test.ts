import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { WebSocket } from '@fastify/websocket';
import { Connections, closeCodes } from './connections.ts';

function opening(t: TestContext, openMax: number) {
  const connections = new Connections({ clock: () => 0, log: { error: () => undefined }, openMax });
  t.after(() => connections.stop());
  return (side: 'visitor' | 'agent') => {
    const events = new EventEmitter();
    const socket = Object.assign(events, {
      code: null as number | null,
      close(code: number) {
        socket.code ??= code;
        events.emit('close');
      },
      terminate: () => socket.close(1006),
      async authenticate() {
        events.emit('message', JSON.stringify({ type: 'hello' }), false);
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    const seat = { onFrame: () => undefined, onClose: () => undefined };
    connections.open(socket as unknown as WebSocket, side, async () => seat);
    return socket;
  };
}

test('sockets of visitors leave a share for the business', async (t) => {
  const open = opening(t, 10);
  const visitors = Array.from({ length: 12 }, () => open('visitor'));
  assert.deepEqual(
    visitors.map(({ code }) => code),
    [...Array(9).fill(null), ...Array(3).fill(closeCodes.tooMany)],
  );
  const agent = open('agent');
  await agent.authenticate();
  assert.deepEqual([agent.code, open('agent').code], [null, closeCodes.tooMany]);
  visitors[0]?.close(1000);
  assert.equal(open('visitor').code, null);
});

test('sockets of the business that have not authenticated take the place of each other, and of no other socket', async (t) => {
  const open = opening(t, 40);
  const others = [...Array.from({ length: 36 }, () => open('visitor')), open('agent')];
  await others.at(-1)?.authenticate();
  const waiting = Array.from({ length: 20 }, () => open('agent'));
  assert.deepEqual(
    waiting.map(({ code }) => code),
    [...Array(18).fill(closeCodes.tooMany), null, null],
  );
  for (let arrived = 0; arrived < 3; arrived += 1) {
    const agent = open('agent');
    await agent.authenticate();
    others.push(agent);
  }
  assert.equal(open('agent').code, closeCodes.tooMany, 'all are authenticated');
  assert.ok(others.every(({ code }) => code === null));
  assert.ok(waiting.every(({ code }) => code === closeCodes.tooMany));
});
