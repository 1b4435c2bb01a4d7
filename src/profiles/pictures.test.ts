import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { png } from '../../tests/harness/images.ts';
import { dayMs, hourMs } from '../time.ts';
import { Pictures, purgePictures } from './pictures.ts';

const start = Date.parse('2026-03-01T00:00:00Z');

/** A host of pictures, and the pictures of one contact. `allowed`: the host may be called. */
async function shop(t: TestContext, { isTrusted = true } = {}) {
  const { sql } = await testDatabase(t);
  const host = { calls: 0, status: 200, body: png, location: '' };
  const server: Server = createServer((_request, response) => {
    host.calls += 1;
    response.writeHead(host.status, host.location === '' ? {} : { location: host.location }).end(host.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const time = { now: start };
  const pictures = new Pictures({
    ...{ sql, clock: () => time.now },
    gate: { allowPrivate: false, lookup: async () => [{ address: '127.0.0.1', family: 4 }] },
    trustedOrigins: isTrusted ? [origin] : [],
  });
  t.after(() => pictures.close());
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const setUrl = (url: string | null) => sql`
    insert into contact_profiles (bot_id, contact_id, picture_url, updated_at)
    values ('shop', 'ada', ${url}, ${new Date(start)})
    on conflict (bot_id, contact_id) do update set picture_url = excluded.picture_url`;
  await setUrl(`${origin}/ada`);
  return { sql, host, origin, time, setUrl, read: () => pictures.read('shop', 'ada') };
}

test('a picture is fetched once and stored; a new address replaces it, and an unreachable one does not', async (t) => {
  const { sql, host, origin, time, setUrl, read } = await shop(t);
  const all = await Promise.all(Array.from({ length: 5 }, read));
  for (const picture of all)
    assert.deepEqual([picture?.type, Buffer.from(picture?.content ?? [])], ['image/png', png]);
  assert.equal(host.calls, 1);
  await setUrl(`${origin}/new`);
  host.status = 500;
  assert.equal((await read())?.type, 'image/png');
  host.status = 200;
  host.body = Buffer.from('GIF89a....');
  assert.equal((await read())?.type, 'image/gif');
  await purgePictures(sql, 'shop', { now: time.now + 30 * dayMs + 1 });
  assert.equal((await read())?.type, 'image/gif');
  assert.equal(host.calls, 4);
});

test('an answer that is no picture, too large or a redirect shows none, and is not requested again for an hour', async (t) => {
  const { host, origin, time, setUrl, read } = await shop(t);
  const answers = [
    { status: 200, body: Buffer.from('<svg onload="alert(1)"/>'), location: '' },
    { status: 200, body: Buffer.concat([png, Buffer.alloc(2 * 1024 * 1024)]), location: '' },
    { status: 302, body: png, location: `${origin}/other` },
    { status: 404, body: png, location: '' },
  ];
  for (const [index, answer] of answers.entries()) {
    await setUrl(`${origin}/${index}`);
    Object.assign(host, answer, { calls: 0 });
    assert.equal(await read(), null);
    time.now += hourMs - 1;
    assert.equal(await read(), null);
    assert.equal(host.calls, 1);
    time.now += 1;
    assert.equal(await read(), null);
    assert.equal(host.calls, 2);
  }
});

test('no private address is called, by number or by name, and no contact without a picture', async (t) => {
  const { host, origin, setUrl, read } = await shop(t, { isTrusted: false });
  const { port } = new URL(origin);
  for (const url of [origin, `http://shop.example:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`, null]) {
    await setUrl(url);
    assert.equal(await read(), null);
  }
  assert.equal(host.calls, 0);
});
