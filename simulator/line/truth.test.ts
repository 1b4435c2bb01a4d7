/** The truth: the same for the same calls, equal to what the webhooks tell, and nothing that failed changes it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { webhook } from '@line/bot-sdk';
import { dayOf, lineZone } from '../../src/time.ts';
import { lineClient, type Receiver, testLineSide, webhookReceiver } from '../../tests/harness/line-side.ts';
import type { LineSide, LineSideOptions } from './line-side.ts';
import type { Counts } from './truth.ts';

const hello = [{ type: 'text' as const, text: 'Look: https://example.com/a' }];

/** Some days with all kinds of calls. */
async function story(
  t: TestContext,
  options: LineSideOptions,
): Promise<{ side: LineSide; webhook: Receiver }> {
  const webhook = await webhookReceiver(t);
  const side = await testLineSide(t, { webhook: webhook.url, ...options });
  const client = lineClient(side);
  await side.control.run({ days: 2 });
  await client.broadcast({ messages: hello });
  webhook.status = 503;
  await side.control.run({ hours: 5 });
  webhook.status = 200;
  const { userId } = await side.control.act({ action: 'follow' });
  await side.control.act({ action: 'write', userId });
  await side.control.act({ action: 'block', userId });
  await client.multicast({ to: (await client.getFollowers()).userIds, messages: hello });
  await side.control.run({ days: 4, stepMinutes: 30 });
  return { side, webhook };
}

/** The counts of the events, each once; days as if nobody but the webhooks knew. */
function countsOf(events: readonly webhook.Event[], isWanted: (at: number) => boolean): Counts {
  const once = [...new Map(events.map((event) => [event.webhookEventId, event])).values()];
  const inOrder = once.sort(
    (a, b) => a.timestamp - b.timestamp || (a.webhookEventId < b.webhookEventId ? -1 : 1),
  );
  const states = new Map<string, boolean>();
  let messagesIn = 0;
  for (const event of inOrder) {
    if (event.type === 'message' && isWanted(event.timestamp)) messagesIn += 1;
    if (event.type !== 'follow' && event.type !== 'unfollow') continue;
    states.set(event.source?.userId ?? '', event.type === 'unfollow');
  }
  return { followers: states.size, blocks: [...states.values()].filter(Boolean).length, messagesIn };
}

for (const disturbance of [{}, { batchMax: 5, repeatShare: 0.5, lateMinutesMax: 300 }]) {
  const about = Object.keys(disturbance).length === 0 ? 'undisturbed' : 'disturbed';
  test(`the truth is what the webhooks told, ${about}`, async (t) => {
    const { side, webhook } = await story(t, { disturbance, people: 120 });
    side.control.set({ webhook: { lateMinutesMax: 0 } });
    await side.control.run({ days: 3 });
    const truth = side.control.truth();
    const events = webhook.events();
    assert.deepEqual(
      truth.told,
      countsOf(events, () => true),
    );
    for (const { day, told } of truth.days) {
      const until = events.filter(({ timestamp }) => dayOf(timestamp, lineZone) <= day);
      assert.deepEqual(
        told,
        countsOf(until, (at) => dayOf(at, lineZone) === day),
        day,
      );
    }
    assert.ok(truth.told.followers > 5 && truth.told.messagesIn > 20, JSON.stringify(truth.told));
    // The gap: friends and messages from before the webhook was set.
    assert.ok(truth.followers > truth.told.followers);
    const before = truth.events.filter(({ state }) => state === 'unsent');
    const written = before.filter(({ what }) => what === 'message' || what === 'group-message').length;
    assert.equal(truth.messagesIn - written, truth.told.messagesIn);
  });
}

test('the same seed and the same calls give the same world, another seed another', async (t) => {
  const tell = async (seed: number) => (await story(t, { seed, people: 80 })).side.control.truth();
  const first = await tell(7);
  assert.deepEqual(await tell(7), first);
  assert.notDeepEqual((await tell(8)).events, first.events);
});

test('asking for the truth changes nothing', async (t) => {
  const tell = async (isAsked: boolean) => {
    const side = await testLineSide(t, { people: 40 });
    for (let day = 0; day < 3; day += 1) {
      if (isAsked) await (await fetch(`${side.address}/sandbox/truth`)).text();
      await side.control.run({ days: 1 });
      side.control.broadcastByHand('Sale');
      await lineClient(side).broadcast({ messages: hello });
    }
    return side.control.truth();
  };
  assert.deepEqual(await tell(true), await tell(false));
});

test('a send by hand is in the truth and in LINE’s report, and no program knows of it', async (t) => {
  const side = await testLineSide(t);
  const { recipients } = side.control.broadcastByHand('Spring sale');
  await side.control.run({ days: 2 });
  const reported = await lineClient(side).getNumberOfMessageDeliveries('20260318');
  assert.equal(reported.broadcast, recipients);
  assert.equal(
    side.control.truth().days.find(({ day }) => day === '2026-03-18')?.messagesOut.broadcast,
    recipients,
  );
});

test('what LINE reports as a whole is what its calls answer', async (t) => {
  const side = await testLineSide(t, { callsPerHour: null });
  const client = lineClient(side);
  const { readyDay, followers, sends, demographic, quota } = side.control.reported();
  assert.equal(readyDay, '2026-03-17');
  for (const [day, counts] of followers) {
    assert.deepEqual(await client.getNumberOfFollowers(day.replaceAll('-', '')), {
      status: 'ready',
      ...counts,
    });
  }
  for (const [day, counts] of sends) {
    assert.deepEqual(await client.getNumberOfMessageDeliveries(day.replaceAll('-', '')), {
      status: 'ready',
      ...counts,
    });
  }
  assert.deepEqual(await client.getFriendsDemographics(), demographic);
  assert.equal((await client.getMessageQuotaConsumption()).totalUsage, quota.totalUsage);
});
