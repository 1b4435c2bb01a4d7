import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { registerWidgetFile } from './widget-file.ts';

async function served(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  const file = join(folder, 'widget.js');
  const app = Fastify();
  await registerWidgetFile(app, folder);
  t.after(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  const ask = (headers: Record<string, string> = {}) => app.inject({ url: '/live-chat/widget.js', headers });
  return { file, ask };
}

test('without a build the answer names the missing step, and a new build is served without a restart', async (t) => {
  const { file, ask } = await served(t);
  const before = await ask();
  assert.equal(before.statusCode, 503);
  assert.match(before.body, /npm run build/);
  assert.equal(before.headers['cache-control'], 'no-store');
  await writeFile(file, 'first()');
  const after = await ask();
  assert.deepEqual([after.statusCode, after.body], [200, 'first()']);
});

test('a browser with the current widget gets 304 until the next build', async (t) => {
  const { file, ask } = await served(t);
  await writeFile(file, 'first()');
  const first = await ask();
  assert.equal(first.headers['cache-control'], 'public, max-age=300');
  assert.equal(first.headers['content-type'], 'text/javascript; charset=utf-8');
  const held = { 'if-none-match': String(first.headers.etag) };
  assert.equal((await ask(held)).statusCode, 304);
  await writeFile(file, 'second()');
  const second = await ask(held);
  assert.deepEqual([second.statusCode, second.body], [200, 'second()']);
});

test('the widget is sent compressed as the browser accepts it, with an entity tag of its own', async (t) => {
  const { file, ask } = await served(t);
  await writeFile(file, 'first()');
  await writeFile(`${file}.br`, brotliCompressSync('first()'));
  await writeFile(`${file}.gz`, gzipSync('first()'));
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync };
  const tags = new Set([String((await ask()).headers.etag)]);
  for (const [accepted, expected] of [
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
  ] as const) {
    const answer = await ask({ 'accept-encoding': accepted });
    assert.equal(answer.headers['content-encoding'], expected, accepted);
    assert.equal(unpack[expected](answer.rawPayload).toString(), 'first()');
    tags.add(String(answer.headers.etag));
  }
  assert.equal(tags.size, 3);
  assert.equal((await ask({ 'accept-encoding': 'identity' })).headers['content-encoding'], undefined);
});
