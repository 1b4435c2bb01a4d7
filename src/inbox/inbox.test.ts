import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';
import type { Queryable } from '../database/client.ts';
import { putDeliveries } from './inbox.ts';
import { botsWithPending } from './pending.ts';
import { readPending } from './read-pending.ts';

const all = { countMax: 1_000, bytesMax: 1_000_000, except: [] as number[] };

async function readOne(sql: Queryable, botId: string, limits: Partial<typeof all> = {}) {
  const { bundles, more } = await readPending(sql, [botId], { ...all, ...limits });
  return { bundles: bundles.get(botId) ?? [], more: more.includes(botId) };
}

test('pending bodies are read byte for byte in the order of arrival, text or not', async (t) => {
  const { sql } = await testDatabase(t);
  const text = fc.string({ unit: 'binary' }).map((characters) => Buffer.from(characters));
  const bytes = fc.uint8Array().map((numbers) => Buffer.from(numbers));
  const bundles = fc.array(fc.array(fc.oneof(text, bytes), { minLength: 1, maxLength: 4 }), { maxLength: 4 });
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(bundles, async (sent) => {
      const botId = `bot${bots++}`;
      const common = { botId, platform: 'line', source: 'webhook', receivedAt: 1_700_000_000_123 } as const;
      for (const bodies of sent) {
        await putDeliveries(
          sql,
          bodies.map((body) => ({ ...common, body })),
        );
      }
      const { bundles, more } = await readOne(sql, botId);
      assert.deepEqual(
        bundles.map(({ deliveries }) => deliveries.map(({ body }) => Buffer.from(body))),
        sent,
      );
      const deliveries = bundles.flatMap((bundle) => bundle.deliveries);
      for (const { platform, source, receivedAt } of deliveries)
        assert.deepEqual({ botId, platform, source, receivedAt }, common);
      assert.equal(more, false);
    }),
    { runs: 100 },
  );
});

test('bodies that are not UTF-8 are read without an error of PostgreSQL, also if two of them join to one character', async (t) => {
  const { sql } = await testDatabase(t);
  const [first, second] = [Buffer.from([0xe4, 0xbd]), Buffer.from([0xa0])];
  const common = { platform: 'line', source: 'webhook', receivedAt: 0 } as const;
  const sent = [
    { ...common, botId: 'one', body: first },
    { ...common, botId: 'two', body: second },
    { ...common, botId: 'one', body: Buffer.from('你') },
  ];
  await putDeliveries(sql, sent);
  // In a transaction, which an error would end.
  const bodies = (botId: string) =>
    sql.begin(async (tx) =>
      (await readOne(tx, botId)).bundles.flatMap(({ deliveries }) =>
        deliveries.map(({ body }) => Buffer.from(body)),
      ),
    );
  assert.deepEqual(await bodies('one'), [first, Buffer.from('你')]);
  assert.deepEqual(await bodies('two'), [second]);
});

test('bundles are read up to the number of deliveries, at least one, and none of those to leave out', async (t) => {
  const { sql } = await testDatabase(t);
  const common = { botId: 'bot', platform: 'line', source: 'webhook', receivedAt: 0 } as const;
  const put = (count: number) =>
    putDeliveries(
      sql,
      Array.from({ length: count }, () => ({ ...common, body: Buffer.from('{}') })),
    );
  for (const count of [3, 2, 1]) await put(count);
  const sizes = async (asked: Partial<typeof all>) => {
    const { bundles, more } = await readOne(sql, 'bot', asked);
    return [bundles.map(({ deliveries }) => deliveries.length), more];
  };
  assert.deepEqual(await sizes({}), [[3, 2, 1], false]);
  assert.deepEqual(await sizes({ countMax: 5 }), [[3, 2], true]);
  assert.deepEqual(await sizes({ countMax: 1 }), [[3], true]);
  assert.deepEqual(await sizes({ bytesMax: 7 }), [[3, 2], true]);
  const { bundles } = await readOne(sql, 'bot');
  assert.deepEqual(await sizes({ except: [bundles[0]?.bundleId ?? 0] }), [[2, 1], false]);
  assert.deepEqual(await sizes({ except: bundles.map(({ bundleId }) => bundleId) }), [[], false]);
});

test('a delivery that is deleted while pending is missing from its bundle', async (t) => {
  const { sql } = await testDatabase(t);
  const common = { botId: 'bot', platform: 'line', source: 'webhook', receivedAt: 0 } as const;
  await putDeliveries(
    sql,
    ['first', 'second'].map((body) => ({ ...common, body: Buffer.from(body) })),
  );
  const bodies = async () =>
    (await readOne(sql, 'bot')).bundles.map(({ deliveries }) =>
      deliveries.map(({ body }) => Buffer.from(body).toString()),
    );
  await sql`delete from deliveries where body = 'first'::bytea`;
  assert.deepEqual(await bodies(), [['second']]);
  await sql`delete from deliveries`;
  assert.deepEqual(await bodies(), [[]]);
});

test('the oldest bundle of each bot is read before the second of any, within the limits of all', async (t) => {
  const { sql } = await testDatabase(t);
  const common = { platform: 'line', source: 'webhook', receivedAt: 0 } as const;
  for (const text of ['1', '2', '3']) {
    const ofBots = text === '1' ? ['a', 'b', 'c'] : ['a', 'b'];
    await putDeliveries(
      sql,
      ofBots.map((botId) => ({ ...common, botId, body: Buffer.from(`${botId}${text}`) })),
    );
  }
  const read = async (asked: Partial<typeof all>) => {
    const { bundles, more } = await readPending(sql, ['b', 'a', 'c', 'd'], { ...all, ...asked });
    const bodies = [...bundles.values()]
      .flat()
      .flatMap(({ deliveries }) => deliveries.map(({ body }) => `${body}`));
    return [bodies.sort(), more.sort()];
  };
  assert.deepEqual(await read({}), [['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1'], []]);
  assert.deepEqual(await read({ countMax: 8 }), [
    ['a1', 'a2', 'b1', 'b2', 'c1'],
    ['a', 'b'],
  ]);
  assert.deepEqual(await read({ countMax: 2 }), [
    ['a1', 'b1'],
    ['a', 'b', 'c'],
  ]);
  assert.deepEqual(await read({ countMax: 1 }), [['b1'], ['a', 'b', 'c']]);
  assert.deepEqual(await read({ bytesMax: 3 }), [
    ['a1', 'b1'],
    ['a', 'b', 'c'],
  ]);
});

test('bots with pending deliveries are listed by their oldest bundle, up to the limit', async (t) => {
  const { sql } = await testDatabase(t);
  const common = { platform: 'line', source: 'webhook', receivedAt: 0, body: Buffer.from('{}') } as const;
  assert.deepEqual(await botsWithPending(sql, 10), []);
  for (const botId of ['b', 'c', 'a', 'b', 'c']) await putDeliveries(sql, [{ ...common, botId }]);
  assert.deepEqual(await botsWithPending(sql, 10), ['b', 'c', 'a']);
  assert.deepEqual(await botsWithPending(sql, 2), ['b', 'c']);
});
