/** The collector of Meta's figures with the Meta simulator, which knows the true figures and applies Meta's limits of calls. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { findChannel } from '../src/bots/channels.ts';
import { type MetaPlatform, metaPlatforms } from '../src/bots/meta-tokens.ts';
import { Stopped } from '../src/collector/source.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { requestHistory } from '../src/meta/history-request.ts';
import { MetaProfiles } from '../src/meta/meta-profiles.ts';
import { reconcilePlatform } from '../src/meta/reconciliation.ts';
import { addDays, dayOf, hourMs } from '../src/time.ts';
import { collectingMeta } from './harness/collecting-meta.ts';
import { waitUntilFolded } from './harness/server.ts';

const year = { people: 30, pastDays: 365 };

test('a year of Meta’s figures equals the truth, with as many calls as the spans need', async (t) => {
  const test = await collectingMeta(t, year);
  const { control, credentials } = test.simulator;
  const before = control.calls.length;
  await test.run(3 * hourMs);
  const calls = control.calls.slice(before);
  const callsOf = (path: string) => calls.filter((call) => call.path.startsWith(path)).length;
  const { days } = control.truth();
  const today = dayOf(control.now(), 'UTC');
  const page = await test.days('page-insights');
  const sent = await test.days('whatsapp-analytics');
  for (const { day, page: truth, whatsapp } of days.filter((one) => one.day < addDays(today, -1))) {
    assert.deepEqual(page.get(day), truth, day);
    const isWithin = day > addDays(today, -365);
    if (isWithin && whatsapp.sent > 0) assert.deepEqual(sent.get(day), whatsapp, day);
  }
  const followers = await test.days('instagram-followers');
  for (const { day, newInstagramFollowers } of days.filter((one) => one.day > addDays(today, -28)))
    if (day < addDays(today, -1))
      assert.equal(followers.get(day)?.follower_count, newInstagramFollowers, day);
  const templates = [...(await test.days('whatsapp-templates')).values()].flatMap((value) =>
    Object.values(value),
  );
  assert.ok(templates.length > 5 && templates.every((counts) => Number(Object(counts).sent) > 0));
  assert.deepEqual([...(await test.days('whatsapp-number')).values()][0], {
    ...{ quality: 'GREEN', messagingLimit: 'TIER_2K' },
  });
  // Two years of a page in spans of 90 days, 30 days of Instagram, a year and 90 days of WhatsApp.
  assert.ok(callsOf(`/${credentials.pageId}/insights`) <= 9);
  assert.ok(callsOf(`/${credentials.instagramId}/insights`) <= 2);
  assert.ok(callsOf(`/${credentials.businessAccountId}/template_analytics`) <= 2);
  assert.ok(calls.every(({ status }) => status === 200));
  const spans = await test.sql<{ count: number }[]>`
    select count(*)::integer as count from collection_questions where kind = 'page-insights'`;
  assert.equal(callsOf(`/${credentials.pageId}/insights`), spans[0]?.count, 'calls made are calls needed');
});

test('a collector that dies before or after each call repeats that call only, and stores nothing twice', async (t) => {
  const test = await collectingMeta(t, year);
  await test.only('page-insights');
  const { control } = test.simulator;
  const before = control.calls.length;
  const deaths = { before: 0, after: 0 };
  const die = async (point: 'before' | 'after') => {
    const dying = test.addCollector({
      async get(call) {
        if (point === 'after') await test.graph.get(call);
        throw new Stopped('killed');
      },
      close: () => Promise.resolve(),
    });
    const hasDied = await dying.round().then(
      () => false,
      (error: unknown) => error instanceof Stopped,
    );
    if (hasDied) deaths[point] += 1;
  };
  for (let step = 0; step < 9; step += 1) {
    await die('before');
    await die('after');
    await test.collector.round();
    await control.run({ minutes: 10, stepMinutes: 60 });
  }
  assert.deepEqual(deaths, { before: 9, after: 9 });
  const calls = control.calls.slice(before).length;
  const [questions] = await test.sql<{ count: number; open: number }[]>`
    select count(*)::integer as count, count(*) filter (where outcome is null)::integer as open from collection_questions
    where kind = 'page-insights'`;
  assert.deepEqual(questions, { count: 9, open: 0 });
  assert.equal(calls, 9 + deaths.after, 'only a call whose answer was lost is made again');
  const page = await test.days('page-insights');
  for (const { day, page: truth } of control.truth().days.slice(0, -2))
    assert.deepEqual(page.get(day), truth, day);
});

test('a refused token stops the channel, a missing permission pauses the kind, and usage headers pause calls', async (t) => {
  const test = await collectingMeta(t, { pastDays: 20 });
  const { control } = test.simulator;
  const stateOf = async (kind: string) => {
    const [row] = await test.sql<{ state: string; problem: string | null; pausedUntil: Date | null }[]>`
      select state, problem, paused_until as "pausedUntil" from collections where kind = ${kind}`;
    return row;
  };
  control.set({ tokens: { page: { scopes: ['pages_messaging'] }, whatsapp: { isRevoked: true } } });
  await test.collector.round();
  assert.equal((await stateOf('page-insights'))?.state, 'unavailable');
  assert.match((await stateOf('page-insights'))?.problem ?? '', /read_insights/);
  const [check] = await test.sql`select missing_permissions from access_tokens where platform = 'facebook'`;
  assert.deepEqual(check?.missing_permissions, ['pages_read_engagement', 'pages_show_list', 'read_insights']);
  const refused = await stateOf('whatsapp-analytics');
  assert.equal(refused?.state === 'token-refused' || refused?.state === 'new', true);
  const before = control.calls.length;
  await test.run(hourMs);
  const whatsappCalls = control.calls
    .slice(before)
    .filter(({ path }) => path.includes(test.simulator.credentials.businessAccountId));
  assert.equal(whatsappCalls.length, 0, 'no call with a refused token');
  control.set({ callsPerHour: 2 });
  await test.only('instagram-followers');
  await test.sql`update collections set look_at = null, paused_until = null where kind = 'instagram-followers'`;
  await test.sql`update collection_questions set ask_at = answered_at where kind = 'instagram-followers'`;
  await test.collector.round();
  const paused = (await stateOf('instagram-followers'))?.pausedUntil;
  assert.ok(paused && paused.getTime() > control.now(), 'the usage headers ask for a pause');
});

test('a page with fewer than 100 likes has no insights, which is no failure', async (t) => {
  const test = await collectingMeta(t, { pastDays: 20 });
  test.simulator.control.set({ pageLikes: 20 });
  await test.only('page-insights');
  await test.collector.round();
  const [question] =
    await test.sql`select outcome, failures from collection_questions where kind = 'page-insights'`;
  assert.deepEqual([question?.outcome, question?.failures], ['withheld', 0]);
});

test('earlier conversations count once, with the webhooks of the same messages, and a second run changes nothing', async (t) => {
  const test = await collectingMeta(t, { people: 60, pastDays: 30 });
  await test.only('facebook-history', 'instagram-history');
  const messages = async () =>
    test.sql`select platform, inbound, outbound from totals where platform in ('facebook', 'instagram') order by platform`;
  for (let run = 0; run < 2; run += 1) {
    assert.equal(await requestHistory(test.sql, test.botId, test.simulator.control.now()), 2);
    await test.run(hourMs);
    await waitUntilFolded(test.sql);
  }
  const { counts } = test.simulator.control.truth();
  const counted = await messages();
  // Meta gives the latest 20 messages of each conversation.
  const most = counts.facebook.messagesIn + counts.facebook.messagesOut;
  const facebook = counted.find(({ platform }) => platform === 'facebook');
  const sum = Number(facebook?.inbound) + Number(facebook?.outbound);
  assert.ok(sum > most * 0.6 && sum <= most, `${sum} of ${most}`);
  const [twice] = await test.sql`
    select count(*)::integer as count from (select key from events group by platform, key having count(*) > 1) repeated`;
  assert.equal(twice?.count, 0);
});

test('people on Messenger and Instagram have names and pictures; deleted accounts have none, and a refused token pauses', async (t) => {
  const test = await collectingMeta(t, { people: 5, pastDays: 5 });
  const { control } = test.simulator;
  const parts = { botId: test.botId, now: control.now() };
  const graph = { get: test.graph.get.bind(test.graph), close: () => Promise.resolve() };
  for (const platform of ['facebook', 'instagram'] as const) {
    const channel = await findChannel(test.sql, test.keys, { ...parts, platform });
    assert.ok(channel);
    const profiles = new MetaProfiles(platform, graph, () => undefined);
    const { personId } = await control.act({ platform, action: 'write' });
    const found = await profiles.fetchProfile(channel, String(personId));
    assert.ok(found.outcome === 'found');
    const { name, accountName, pictureUrl } = found.profile;
    assert.ok(name && /^http.*\/pictures\/\d+\.png$/.test(pictureUrl ?? ''));
    assert.equal(accountName, platform === 'instagram' ? `person.${personId}` : null);
    assert.deepEqual(await profiles.fetchProfile(channel, '7000000000000000'), {
      ...{ outcome: 'gone', isAskedAgain: true },
    });
    control.fail({ code: 190, status: 401, path: `/${personId}` });
    assert.equal((await profiles.fetchProfile(channel, String(personId))).outcome, 'paused');
  }
});

test('the reconciliation compares our count with Meta’s by day, and a gap has reasons', async (t) => {
  const test = await collectingMeta(t, { people: 60, pastDays: 10 });
  const { control, credentials } = test.simulator;
  await test.only('page-insights', 'instagram-followers', 'whatsapp-analytics');
  const server = { webhooks: [] as { platform: string; body: string }[] };
  const receiver = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const platform = request.url?.slice(1) ?? '';
    server.webhooks.push({ platform, body: Buffer.concat(parts).toString() });
    response.writeHead(200).end();
  }).listen(0, '127.0.0.1');
  t.after(() => receiver.close());
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  for (const platform of metaPlatforms) {
    const callbackUrl = `http://127.0.0.1:${port}/${platform}`;
    control.subscribe(platform, { callbackUrl, verifyToken: credentials.verifyToken });
  }
  control.set({ callsPerHour: null });
  await control.run({ days: 6, stepMinutes: 60 });
  await test.run(2 * hourMs);
  await putDeliveries(
    test.sql,
    server.webhooks.map(({ platform, body }) => ({
      ...{ botId: test.botId, platform: platform as MetaPlatform, source: 'webhook' as const },
      ...{ body: Buffer.from(body), receivedAt: control.now() },
    })),
  );
  await waitUntilFolded(test.sql);
  const range = { from: '2026-03-20', to: '2026-03-22', now: control.now() };
  const sends = await reconcilePlatform(test.sql, test.botId, { platform: 'whatsapp', ...range });
  const truth = new Map(control.truth().days.map((one) => [one.day, one]));
  for (const { day, figures } of sends.days) {
    const { own, theirs, gap, reasons } = figures.sends ?? {};
    assert.equal(theirs, truth.get(day)?.whatsapp.sent, day);
    assert.equal(gap, Number(own) - Number(theirs));
    // Messages from the phone app are ours only.
    assert.ok(gap !== undefined && gap !== null && gap >= 0);
    assert.deepEqual(reasons, gap === 0 ? [] : ['sent-with-the-app']);
  }
  const delivered = await reconcilePlatform(test.sql, test.botId, { platform: 'whatsapp', ...range });
  for (const { day, figures } of delivered.days) {
    const { own, theirs } = figures.delivered ?? {};
    const statuses = control.deliveredEvents().flatMap(({ statuses = [] }) => statuses);
    const ofDay = statuses.filter(({ status, at }) => status === 'delivered' && dayOf(at, 'UTC') === day);
    assert.equal(own, ofDay.length, day);
    assert.equal(theirs, truth.get(day)?.whatsapp.delivered, day);
  }
  assert.ok(delivered.days.some(({ figures }) => Number(figures.delivered?.own) > 0));
  const page = await reconcilePlatform(test.sql, test.botId, { platform: 'facebook', ...range });
  assert.deepEqual(page.figures, ['contacts', 'newContacts', 'blocks']);
  for (const { day, figures } of page.days) {
    const { own, theirs, gap, reasons } = figures.newContacts ?? {};
    assert.equal(theirs, truth.get(day)?.page.page_messages_new_conversations_unique);
    // People from before the connection are new to Shoal when they write again.
    assert.ok(Number(own) >= Number(theirs) && Number(own) > 0, day);
    assert.deepEqual(reasons, gap === 0 ? [] : ['before-connected', 'counted-otherwise']);
    assert.equal(figures.contacts?.theirs, truth.get(day)?.page.page_messages_total_messaging_connections);
    assert.deepEqual(figures.contacts?.reasons, ['before-connected']);
    assert.equal(figures.blocks?.theirs, truth.get(day)?.page.page_messages_blocked_conversations_unique);
  }
  const today = await reconcilePlatform(test.sql, test.botId, {
    ...{ platform: 'instagram', from: '2026-03-25', to: '2026-03-26', now: control.now() },
  });
  assert.deepEqual(today.days.at(-1)?.figures.newContacts?.reasons, ['not-told']);
});
