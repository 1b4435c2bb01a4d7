/** The truth: reproducible, equal to the delivered webhooks, and unaffected by failures. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { webhook } from '@line/bot-sdk';
import { dayOf, lineZone } from '../../src/time.ts';
import {
  lineClient,
  type Receiver,
  testLineSimulator,
  webhookReceiver,
} from '../../tests/harness/line-simulator.ts';
import type { LineSimulator, LineSimulatorOptions } from './simulator.ts';
import type { Counts } from './truth.ts';

const hello = [{ type: 'text' as const, text: 'Look: https://example.com/a' }];

/** Some days with all kinds of calls. */
async function simulatedDays(
  t: TestContext,
  options: LineSimulatorOptions,
): Promise<{ simulator: LineSimulator; webhook: Receiver }> {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url, ...options });
  const client = lineClient(simulator);
  await simulator.control.run({ days: 2 });
  await client.broadcast({ messages: hello });
  webhook.status = 503;
  await simulator.control.run({ hours: 5 });
  webhook.status = 200;
  const { userId } = await simulator.control.act({ action: 'follow' });
  await simulator.control.act({ action: 'write', userId });
  await simulator.control.act({ action: 'block', userId });
  await client.multicast({ to: (await client.getFollowers()).userIds, messages: hello });
  await simulator.control.run({ days: 4, stepMinutes: 30 });
  return { simulator, webhook };
}

/** The counts of the webhook events, each counted once. */
function countsOf(events: readonly webhook.Event[], isIncluded: (at: number) => boolean): Counts {
  const once = [...new Map(events.map((event) => [event.webhookEventId, event])).values()];
  const inOrder = once.sort(
    (a, b) => a.timestamp - b.timestamp || (a.webhookEventId < b.webhookEventId ? -1 : 1),
  );
  const states = new Map<string, boolean>();
  let messagesIn = 0;
  for (const event of inOrder) {
    if (event.type === 'message' && isIncluded(event.timestamp)) messagesIn += 1;
    if (event.type !== 'follow' && event.type !== 'unfollow') continue;
    states.set(event.source?.userId ?? '', event.type === 'unfollow');
  }
  return { followers: states.size, blocks: [...states.values()].filter(Boolean).length, messagesIn };
}

for (const disturbance of [{}, { batchMax: 5, repeatShare: 0.5, lateMinutesMax: 300 }]) {
  const about = Object.keys(disturbance).length === 0 ? 'undisturbed' : 'disturbed';
  test(`the truth about delivered webhooks equals their counts, ${about}`, async (t) => {
    const { simulator, webhook } = await simulatedDays(t, { disturbance, people: 120 });
    simulator.control.set({ webhook: { lateMinutesMax: 0 } });
    await simulator.control.run({ days: 3 });
    const truth = simulator.control.truth();
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
    // The gap: friends and messages before the webhook was set.
    assert.ok(truth.followers > truth.told.followers);
    const unsent = truth.events.filter(({ state }) => state === 'unsent');
    const unsentMessages = unsent.filter(({ what }) => what === 'message' || what === 'group-message').length;
    assert.equal(truth.messagesIn - unsentMessages, truth.told.messagesIn);
  });
}

test('the same seed and calls give the same truth, another seed another truth', async (t) => {
  const truthOf = async (seed: number) =>
    (await simulatedDays(t, { seed, people: 80 })).simulator.control.truth();
  const first = await truthOf(7);
  assert.deepEqual(await truthOf(7), first);
  assert.notDeepEqual((await truthOf(8)).events, first.events);
});

test('reading the truth changes nothing', async (t) => {
  const truthOf = async (isRead: boolean) => {
    const simulator = await testLineSimulator(t, { people: 40 });
    for (let day = 0; day < 3; day += 1) {
      if (isRead) await (await fetch(`${simulator.address}/sandbox/truth`)).text();
      await simulator.control.run({ days: 1 });
      simulator.control.broadcastByHand('Sale');
      await lineClient(simulator).broadcast({ messages: hello });
    }
    return simulator.control.truth();
  };
  assert.deepEqual(await truthOf(true), await truthOf(false));
});

test('a broadcast by hand is in the truth and in LINE’s report', async (t) => {
  const simulator = await testLineSimulator(t);
  const { recipients } = simulator.control.broadcastByHand('Spring sale');
  await simulator.control.run({ days: 2 });
  const reported = await lineClient(simulator).getNumberOfMessageDeliveries('20260318');
  assert.equal(reported.broadcast, recipients);
  assert.equal(
    simulator.control.truth().days.find(({ day }) => day === '2026-03-18')?.messagesOut.broadcast,
    recipients,
  );
});

test('the report equals the answers of LINE’s calls', async (t) => {
  const simulator = await testLineSimulator(t, { callsPerHour: null });
  const client = lineClient(simulator);
  const { readyDay, followers, sends, demographic, quota } = simulator.control.report();
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
