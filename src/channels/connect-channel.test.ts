import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { openKeys } from '../auth/keys.ts';
import { createBot } from '../bots/bots.ts';
import { listChannels } from '../bots/channels.ts';
import { findCallerOfChannel } from '../bots/line-tokens.ts';
import type { ChannelSettings } from '../bots/set-channel.ts';
import type { Access, LineCredentials } from '../line/access.ts';
import { connectChannel } from './connect-channel.ts';

test('a LINE channel id needs proof with its secret, belongs to one bot, and can be removed', async (t) => {
  const { sql } = await testDatabase(t);
  const random = seededBytes(1);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const now = Date.parse('2026-03-01T00:00:00Z');
  const bots = await Promise.all(
    ['A', 'B'].map((name) => createBot(sql, { name, timeZone: 'Asia/Taipei' }, { now, random, keys })),
  );
  const [a = '', b = ''] = bots.map(({ botId }) => botId);
  const channelId = '1657000000';
  let isLineUp = true;
  const access = {
    async tokenOf({ channelId: id, secrets }: LineCredentials): Promise<Access> {
      if (!isLineUp) return { failure: 'unreachable', problem: 'LINE does not answer in time.' };
      if (id === channelId && secrets[0] === 'right') return { token: 'issued' };
      return { failure: 'token-refused', problem: 'LINE issues no token.' };
    },
  };
  const graph = { get: () => Promise.reject(new Error('not for Meta')) };
  const set = (botId: string, settings: Omit<ChannelSettings, 'platform'>) =>
    connectChannel(sql, { botId, platform: 'line', ...settings }, { now, random, keys, graph, access });
  const ownerOf = async () => (await findCallerOfChannel(sql, channelId))?.botId ?? null;
  const refusedBy = (message: RegExp, code = 'INPUT_INVALID') => ({ code, message });

  await set(b, { secret: 'wrong' });
  await assert.rejects(set(b, { channelId }), refusedBy(/LINE issues no access token/));
  await assert.rejects(set(b, { channelId: '12x' }), refusedBy(/digits only/));
  isLineUp = false;
  await assert.rejects(
    set(a, { secret: 'right', channelId }),
    refusedBy(
      /^LINE must check the channel id\. LINE does not answer in time\. Nothing was stored\.$/,
      'LINE_UNREACHABLE',
    ),
  );
  assert.deepEqual([await ownerOf(), await listChannels(sql, a, now)], [null, []]);
  isLineUp = true;
  await set(a, { secret: 'right', channelId });
  assert.equal(await ownerOf(), a);
  await assert.rejects(set(b, { secret: 'right', channelId }), (error: Error) => {
    assert.match(error.message, /Another bot is connected to this channel id/);
    return !error.message.includes(a);
  });
  assert.equal(await ownerOf(), a);

  await set(a, { channelId: null });
  assert.equal(await ownerOf(), null);
  const both = await Promise.allSettled([a, b].map((botId) => set(botId, { secret: 'right', channelId })));
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});
