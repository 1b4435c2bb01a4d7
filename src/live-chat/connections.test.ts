import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { WebSocket } from '@fastify/websocket';
import { Connections, closeCodes } from './connections.ts';

test('sockets of visitors leave a share for the business', async (t) => {
  const connections = new Connections({ clock: () => 0, log: { error: () => undefined }, openMax: 10 });
  t.after(() => connections.stop());
  const open = (side: 'visitor' | 'agent') => {
    const events = new EventEmitter();
    const socket = Object.assign(events, {
      code: null as number | null,
      close(code: number) {
        socket.code = code;
        events.emit('close');
      },
    });
    connections.open(socket as unknown as WebSocket, side, () => Promise.reject(new Error('no hello came')));
    return socket;
  };
  const visitors = Array.from({ length: 12 }, () => open('visitor'));
  assert.deepEqual(
    visitors.map(({ code }) => code),
    [...Array(9).fill(null), ...Array(3).fill(closeCodes.tooMany)],
  );
  assert.deepEqual([open('agent').code, open('agent').code], [null, closeCodes.tooMany]);
  visitors[0]?.close(1000);
  assert.equal(open('visitor').code, null);
});
