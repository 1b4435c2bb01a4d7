import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PlatformHost } from './platform-host.ts';

test('a call that waits for a free connection has all its time when it begins', async (t) => {
  let calls = 0;
  // The first call gets no answer.
  const server = createServer((_, response) => void (calls++ === 0 || response.end('{}')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const host = new PlatformHost('LINE', address, { answerMs: 1_000, connections: 1 });
  t.after(async () => {
    await host.close();
    server.closeAllConnections();
    server.close();
  });
  const [lost, answered] = await Promise.all([host.post('/', {}, {}), host.post('/', {}, {})]);
  assert.deepEqual(lost, { isSent: true, problem: "LINE's answer was lost." });
  assert.equal('status' in answered && answered.status, 200);
});
