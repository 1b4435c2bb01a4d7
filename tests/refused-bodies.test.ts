/** Calls that are refused before their body is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawConnection } from './harness/raw-connection.ts';
import { testServer } from './harness/server.ts';

const bodyBytes = 4_000_000;

for (const type of ['', 'content-type: text/plain\r\n', 'content-type: application/json\r\n'])
  test(`after a refused body, the connection answers the next call or is closed: ${type.trim() || 'no type'}`, async (t) => {
    const server = await testServer(t);
    const { botId } = await server.addBot();
    const token = await server.addToken();
    const connection = await rawConnection(t, server.address);
    connection.write(
      `POST /api/v1/bots/${botId}/callback/rotate-secret HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${type}content-length: ${bodyBytes}\r\n\r\n`,
    );
    connection.write(Buffer.alloc(bodyBytes, ' '));
    connection.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const both = connection.received(/HTTP\/1\.1 [\s\S]*HTTP\/1\.1 200/).then(
      () => 'answered',
      () => 'closed',
    );
    const late = new Promise((resolve) => setTimeout(resolve, 15_000, 'silent').unref());
    const outcome = await Promise.race([both, late]);
    t.diagnostic(String(outcome));
    assert.notEqual(outcome, 'silent');
  });
