/**
 * Periodic tasks of a running server: it deletes old deliveries and expired assignments, and reads names of contacts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openKeys } from '../src/auth/keys.ts';
import { readConfig } from '../src/config.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { startServer } from '../src/server/server.ts';
import { dayMs, hourMs } from '../src/time.ts';
import { testDatabase } from './harness/database.ts';
import { foldPending } from './harness/fold.ts';
import { whatsappBody, whatsappNumberId } from './harness/webhooks.ts';

test('a worker deletes old and expired rows, and reads names from WhatsApp', async (t) => {
  const { sql, url } = await testDatabase(t);
  const data = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const start = Date.parse('2026-03-01T00:00:00Z');
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const keys = await openKeys({ secretKey: null, dataFolder: data, random: randomBytes });
  const secretLocation = { botId: 'shop', platform: 'whatsapp', column: 'secret' };
  await sql`
    insert into channels (bot_id, platform, account_id, secret_sealed)
    values ('shop', 'whatsapp', ${whatsappNumberId}, ${keys.current.seal('app secret', secretLocation)})`;
  const putAt = async (receivedAt: number, from: string) => {
    const body = Buffer.from(whatsappBody([{ id: `wamid.${from}`, from, at: receivedAt }]));
    await putDeliveries(sql, [{ botId: 'shop', platform: 'whatsapp', source: 'webhook', body, receivedAt }]);
  };
  await putAt(start, '1');
  await putAt(start + 31 * dayMs, '2');
  await foldPending(sql, 'shop', { now: start, random: randomBytes });
  await sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    values ('shop', 'Tag', 'automatic', 'interested', now(), now())`;
  await sql`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at)
    select bot_id, contact_id, 'Tag', ${new Date(start)}, ${new Date(start + dayMs)} from contacts`;

  const config = {
    ...readConfig({}, {}),
    databaseUrl: url,
    data,
    role: 'worker',
    workerPort: 0,
    logLevel: 'silent',
  } as const;
  const server = await startServer(config, { clock: () => start + 31 * dayMs + hourMs });
  try {
    const remainingRows = async () => {
      const [row] = await sql`
        select (select count(*)::integer from deliveries) as deliveries,
          (select count(*)::integer from contact_tags) as assignments,
          (select string_agg(platform_contact_id || ' ' || name, ', ')
            from contact_profiles join contacts using (bot_id, contact_id) where platform_contact_id = '2') as names`;
      return { ...row };
    };
    const expected = { deliveries: 1, assignments: 0, names: '2 Test' };
    for (let look = 0; look < 100; look += 1) {
      if (JSON.stringify(await remainingRows()) === JSON.stringify(expected)) break;
      await pause(50);
    }
    assert.deepEqual(await remainingRows(), expected);
  } finally {
    await server.close();
  }
});
