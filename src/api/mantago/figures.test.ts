/**
 * Figures in MantaGo's fields: which are there, and how they are rounded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import { platformNames } from '../../platforms/platform.ts';
import type { BotFigures, PlatformFigures } from '../../reports/totals.ts';
import { toClientAnalysis, toMessageAnalysis } from './figures.ts';

const nothing: PlatformFigures = {
  integrated: false,
  followers: 0,
  blocks: 0,
  messages: 0,
  conversations: 0,
  conversationMessages: 0,
  conversationMs: 0,
  taggedContacts: 0,
};

function figures(changes: Partial<BotFigures> = {}): BotFigures {
  return {
    credential: null,
    lineProgram: null,
    platforms: { line: nothing, facebook: nothing, instagram: nothing, liveChat: nothing, whatsapp: nothing },
    demographic: null,
    quota: null,
    lineSends: { reply: 0, push: 0, broadcast: 0 },
    ...changes,
  };
}

function line(changes: Partial<PlatformFigures>): BotFigures {
  return figures({ platforms: { ...figures().platforms, line: { ...nothing, ...changes } } });
}

test('the worked example of figures.md', () => {
  const bot = line({
    integrated: true,
    followers: 3,
    blocks: 2,
    messages: 3,
    conversations: 2,
    conversationMessages: 3,
    conversationMs: 900_000,
    taggedContacts: 1,
  });
  assert.deepEqual(toClientAnalysis(bot, 'line'), {
    lineFollowers: 3,
    lineBlocks: 2,
    lineGenders: [],
    lineAges: [],
    lineAreas: [],
    lineAppTypes: [],
    lineMessageNumbers: 3,
    lineIsIntegration: true,
    lineTagCoverRate: 0.3333,
  });
  const { lineAverageConversationValue, lineAverageConversationTime } = toMessageAnalysis(bot);
  assert.deepEqual([lineAverageConversationValue, lineAverageConversationTime], [2, 450]);
});

test('one platform has its fields only; no platform means all fields and the totals', () => {
  const prefixes = {
    line: 'line',
    facebook: 'fb',
    instagram: 'ig',
    liveChat: 'liveChat',
    whatsapp: 'whatsapp',
  };
  const all = toClientAnalysis(figures(), null);
  const fields = platformNames.flatMap((platform) => {
    const names = Object.keys(toClientAnalysis(figures(), platform));
    for (const name of names) assert.ok(name.startsWith(prefixes[platform]), name);
    return names;
  });
  const totals = ['botTotallFollowers', 'botTotallBlocks', 'botTotallMessages'];
  assert.deepEqual(Object.keys(all), [...fields, ...totals]);
});

test('the totals are the sums over the platforms, blocks those of LINE and Facebook', () => {
  const platforms = Object.fromEntries(
    platformNames.map((name, index) => [
      name,
      { ...nothing, followers: 10 ** index, blocks: 10 ** index, messages: 3 * 10 ** index },
    ]),
  ) as BotFigures['platforms'];
  const all = toClientAnalysis(figures({ platforms }), null);
  assert.equal(all.botTotallFollowers, 11_111);
  assert.equal(all.botTotallBlocks, 11);
  assert.equal(all.botTotallMessages, 33_333);
});

test('the cover rate has four decimals, rounded half up, is at most 1, and 0 without followers', async (t) => {
  const rate = (taggedContacts: number, followers: number) =>
    toClientAnalysis(line({ taggedContacts, followers }), 'line').lineTagCoverRate;
  assert.equal(rate(0, 0), 0);
  assert.equal(rate(5, 0), 0);
  assert.equal(rate(2, 3), 0.6667);
  assert.equal(rate(1, 20_000), 0.0001);
  assert.equal(rate(1, 20_001), 0);
  assert.equal(rate(5, 4), 1);
  await holds(
    t,
    fc.property(
      fc.nat({ max: 1_000_000_000 }),
      fc.integer({ min: 1, max: 1_000_000_000 }),
      (tagged, followers) => {
        const units = (2n * 10_000n * BigInt(tagged) + BigInt(followers)) / (2n * BigInt(followers));
        assert.equal(rate(tagged, followers), Math.min(1, Number(units) / 10_000));
        assert.match(String(rate(tagged, followers)), /^(0|1|0\.\d{1,4})$/);
      },
    ),
  );
});

test('averages are rounded half up once, from milliseconds', () => {
  const averages = (conversations: number, conversationMessages: number, conversationMs: number) => {
    const fields = toMessageAnalysis(line({ conversations, conversationMessages, conversationMs }));
    return [fields.lineAverageConversationValue, fields.lineAverageConversationTime];
  };
  assert.deepEqual(averages(0, 0, 0), [0, 0]);
  assert.deepEqual(averages(2, 5, 1_999), [3, 1]);
  assert.deepEqual(averages(2, 4, 999), [2, 0]);
  assert.deepEqual(averages(3, 4, 4_500), [1, 2]);
  assert.deepEqual(averages(1, 1, 8_000_000_000_000_499), [1, 8_000_000_000_000]);
  assert.deepEqual(averages(1, 1, 8_000_000_000_000_500), [1, 8_000_000_000_001]);
});

test("the plan follows from LINE's quota unless the owner has set it; without a quota both are left out", () => {
  const fields = (changes: Partial<BotFigures>) => {
    const { lineQuota, lineQuotaConsumption, lineProgram } = toMessageAnalysis(figures(changes));
    return [lineQuota, lineQuotaConsumption, lineProgram];
  };
  const limited = (value: number) => ({ type: 'limited', value, totalUsage: 7 });
  assert.deepEqual(fields({}), [undefined, undefined, undefined]);
  assert.deepEqual(fields({ lineProgram: '高用量' }), [undefined, undefined, '高用量']);
  assert.deepEqual(fields({ quota: { type: 'none', totalUsage: 5 } }), [undefined, 5, undefined]);
  assert.deepEqual(fields({ quota: limited(0) }), [0, 7, '輕用量']);
  assert.deepEqual(fields({ quota: limited(2_999) }), [2_999, 7, '輕用量']);
  assert.deepEqual(fields({ quota: limited(3_000) }), [3_000, 7, '中用量']);
  assert.deepEqual(fields({ quota: limited(5_999) }), [5_999, 7, '中用量']);
  assert.deepEqual(fields({ quota: limited(6_000) }), [6_000, 7, '高用量']);
  assert.deepEqual(fields({ quota: limited(6_000), lineProgram: '輕用量' }), [6_000, 7, '輕用量']);
});

test("the sends of the month are passed through, and Instagram's connection has its other name", () => {
  const platforms = { ...figures().platforms, instagram: { ...nothing, integrated: true } };
  const fields = toMessageAnalysis(figures({ platforms, lineSends: { reply: 45, push: 12, broadcast: 3 } }));
  assert.deepEqual(
    [fields.lineReplyAmounts, fields.linePushAmounts, fields.lineBroadcastAmounts],
    [45, 12, 3],
  );
  assert.equal(fields.instagramIsIntegration, true);
  assert.equal('igIsIntegration' in fields, false);
});
