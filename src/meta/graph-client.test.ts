import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { GraphClient } from './graph-client.ts';

test('a failure contains neither the access token of the call nor its address, even where the message is cut', async (t) => {
  const token = 'EAA+secret/token=';
  const urls: string[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url ?? '');
    const repeated = `Malformed access token ${token} (${encodeURIComponent(token)})`;
    const message = `${repeated}${' '.repeat(290 - repeated.length)}${token}`;
    response.writeHead(400).end(JSON.stringify({ error: { message, code: 190 } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const graph = new GraphClient({ facebook: address, instagram: address });
  t.after(async () => {
    await graph.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const path = `/debug_token?input_token=${encodeURIComponent(token)}`;
  const check = (error: Error) => {
    assert.doesNotMatch(
      `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`,
      /EAA|secret|debug_token/,
    );
    return true;
  };
  await assert.rejects(graph.get({ host: 'facebook', path, token }), (error: Error) => {
    assert.match(error.message, /^Meta answers: Malformed access token … \(…\)/);
    return check(error);
  });
  assert.equal(urls.length, 1);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(graph.get({ host: 'facebook', path, token }), check);
});
