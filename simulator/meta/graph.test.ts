/** The Graph API of the Meta simulator: tokens, profiles, figures, conversations, limits and errors. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { dayMs, secondMs } from '../../src/time.ts';
import { graph, metaStart, testMetaSimulator } from '../../tests/harness/meta-simulator.ts';
import { oncePerFile } from '../../tests/harness/scope.ts';

const shared = oncePerFile(async (t) => {
  const simulator = await testMetaSimulator(t);
  const { credentials } = simulator;
  const { page, instagram, whatsapp } = credentials.accessTokens;
  return { simulator, credentials, page, instagram, whatsapp };
});
const seconds = (ms: number) => Math.floor(ms / secondMs);

test('/me and /debug_token describe each token, and a revoked or expired token is refused with code 190', async () => {
  const { simulator, credentials, page, instagram } = await shared();
  assert.equal((await graph(simulator, '/me', { token: page })).body.id, credentials.pageId);
  assert.equal((await graph(simulator, '/me', { token: instagram })).body.user_id, credentials.instagramId);
  const path = `/debug_token?input_token=${instagram}`;
  const { data } = (await graph(simulator, path, { token: instagram })).body as {
    data: Record<string, unknown>;
  };
  assert.equal(data.is_valid, true);
  assert.equal(data.expires_at, seconds(metaStart + 60 * dayMs));
  assert.equal((await graph(simulator, '/me')).body.error instanceof Object, true);
  simulator.control.set({
    tokens: { page: { isRevoked: true }, instagram: { expiresAt: '2026-03-01T00:00:00Z' } },
  });
  const [revoked, expired] = [
    await graph(simulator, '/me', { token: page }),
    await graph(simulator, '/me', { token: instagram }),
  ];
  simulator.control.set({ tokens: { page: { isRevoked: false }, instagram: { expiresAt: null } } });
  assert.deepEqual([revoked.status, errorOf(revoked).code], [401, 190]);
  assert.deepEqual([errorOf(expired).code, errorOf(expired).error_subcode], [190, 463]);
});

test('a person who wrote has a profile, a deleted account has none, and a missing permission is named', async () => {
  const { simulator, page, instagram } = await shared();
  const written = await simulator.control.act({ platform: 'facebook', action: 'write' });
  const { body } = await graph(simulator, `/${written.personId}?fields=first_name,last_name`, {
    token: page,
  });
  assert.equal(typeof body.first_name, 'string');
  const onInstagram = await simulator.control.act({ platform: 'instagram', action: 'write' });
  const profile = await graph(simulator, `/${onInstagram.personId}`, { token: instagram });
  assert.match(String(profile.body.username), /^person\./);
  assert.equal(errorOf(await graph(simulator, '/7000000000000000', { token: page })).error_subcode, 33);
  simulator.control.set({ tokens: { page: { scopes: ['pages_messaging'] } } });
  const refused = await graph(simulator, `/${simulator.credentials.pageId}/insights?metric=page_follows`, {
    token: page,
  });
  simulator.control.set({ tokens: { page: { scopes: allPageScopes } } });
  assert.match(String(errorOf(refused).message), /read_insights/);
});

test('page insights, Instagram followers and WhatsApp analytics equal the truth of each day', async () => {
  const { simulator, credentials, page, instagram, whatsapp } = await shared();
  const since = Date.parse('2026-03-05T00:00:00Z');
  const range = `since=${seconds(since)}&until=${seconds(since + 10 * dayMs)}`;
  const days = simulator.control.truth().days.filter(({ day }) => day >= '2026-03-05' && day < '2026-03-15');
  const metric = 'page_follows,page_messages_new_conversations_unique';
  const insights = await graph(
    simulator,
    `/${credentials.pageId}/insights?metric=${metric}&period=day&${range}`,
    {
      token: page,
    },
  );
  const [follows, conversations] = insights.body.data as { values: { value: number; end_time: string }[] }[];
  assert.deepEqual(
    follows?.values.map(({ value }) => value),
    days.map((day) => day.page.page_follows),
  );
  assert.deepEqual(
    conversations?.values.map(({ value }) => value),
    days.map((day) => day.page.page_messages_new_conversations_unique),
  );
  assert.equal(follows?.values[0]?.end_time, '2026-03-06T08:00:00+0000');
  const followers = await graph(
    simulator,
    `/${credentials.instagramId}/insights?metric=follower_count&period=day&${range}`,
    { token: instagram },
  );
  const [newFollowers] = followers.body.data as { values: { value: number }[] }[];
  assert.deepEqual(
    newFollowers?.values.map(({ value }) => value),
    days.map((day) => day.newInstagramFollowers),
  );
  const start = `start(${seconds(since)}).end(${seconds(since + 10 * dayMs)}).granularity(DAY)`;
  const analytics = await graph(simulator, `/${credentials.businessAccountId}?fields=analytics.${start}`, {
    token: whatsapp,
  });
  const { data_points } = analytics.body.analytics as { data_points: { sent: number; delivered: number }[] };
  assert.deepEqual(
    data_points.map(({ sent, delivered }) => ({ sent, delivered })),
    days.map((day) => day.whatsapp).filter(({ sent }) => sent > 0),
  );
  simulator.control.set({ pageLikes: 99 });
  const few = await graph(simulator, `/${credentials.pageId}/insights?metric=page_follows&${range}`, {
    token: page,
  });
  simulator.control.set({ pageLikes: 1_200 });
  assert.equal(errorOf(few).code, 100);
});

test('conversations list the message ids of the webhooks, with details of the latest 20 messages only', async () => {
  const { simulator, credentials, page } = await shared();
  const fields = 'fields=id,updated_time,messages.limit(50){id,created_time,from,to}';
  const ids: string[] = [];
  for (let after = '', pages = 0; pages < 100; pages += 1) {
    const path = `/${credentials.pageId}/conversations?platform=messenger&limit=5&${fields}${after}`;
    const { body } = await graph(simulator, path, { token: page });
    for (const { messages } of body.data as Thread[]) {
      ids.push(...messages.data.map(({ id }) => id));
      for (const [index, { from }] of messages.data.entries()) assert.equal(from !== undefined, index < 20);
    }
    const paging = body.paging as { cursors: { after: string }; next?: string };
    if (paging.next === undefined) break;
    after = `&after=${paging.cursors.after}`;
  }
  const { messagesIn, messagesOut } = simulator.control.truth().counts.facebook;
  assert.equal(ids.length, messagesIn + messagesOut);
  assert.equal(new Set(ids).size, ids.length);
});

test('the limit of an account answers 80007 with the time to wait, and a requested error answers once', async () => {
  const { simulator, credentials, whatsapp, page } = await shared();
  simulator.control.set({ callsPerHour: 3 });
  const answers = [];
  for (let call = 0; call < 4; call += 1)
    answers.push(await graph(simulator, `/${credentials.phoneNumberId}`, { token: whatsapp }));
  const usage = answers[2]?.headers.get('x-business-use-case-usage');
  assert.equal(JSON.parse(usage ?? '')[credentials.businessAccountId][0].call_count, 100);
  assert.equal(errorOf(answers[3]).code, 80007);
  simulator.control.set({ callsPerHour: null });
  simulator.control.fail({ code: 4, path: '/me' });
  assert.equal(errorOf(await graph(simulator, '/me', { token: page })).code, 4);
  assert.equal((await graph(simulator, '/me', { token: page })).status, 200);
});

test('a send fails as at Meta: to a person who blocks (551, 131026), and outside of the window of 24 hours (10, 131047)', async (t) => {
  const simulator = await testMetaSimulator(t, { people: 0, pastDays: 0, callsPerHour: null });
  const { control, credentials } = simulator;
  const bodies: string[] = [];
  const receiver = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    bodies.push(Buffer.concat(parts).toString());
    response.end();
  }).listen(0, '127.0.0.1');
  t.after(() => receiver.close());
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  control.subscribe('whatsapp', { callbackUrl: `http://127.0.0.1:${port}/`, verifyToken: 'v' });
  const { page, whatsapp } = credentials.accessTokens;
  const onPage = (id: unknown) =>
    graph(simulator, `/${credentials.pageId}/messages`, {
      ...{ token: page, body: { recipient: { id }, message: { text: 'Hello' } } },
    });
  const onWhatsapp = async (to: unknown) => {
    const text = { messaging_product: 'whatsapp', to, type: 'text', text: { body: 'Hello' } };
    const path = `/${credentials.phoneNumberId}/messages`;
    assert.equal((await graph(simulator, path, { token: whatsapp, body: text })).status, 200);
    return /"errors":\[\{"code":(\d+)/.exec(bodies.at(-1) ?? '')?.[1];
  };
  const { personId } = await control.act({ platform: 'facebook', action: 'write' });
  assert.equal((await onPage(personId)).status, 200);
  assert.equal(await onWhatsapp('886912345678'), '131047');
  await control.run({ hours: 25, stepMinutes: 600 });
  const late = errorOf(await onPage(personId));
  assert.deepEqual([late.code, late.error_subcode], [10, 2018278]);
  for (const [platform, id] of [
    ['facebook', String(personId)],
    ['whatsapp', '886912345678'],
  ] as const)
    await control.act({ platform, action: 'block', personId: id });
  assert.equal(errorOf(await onPage(personId)).code, 551);
  assert.equal(await onWhatsapp('886912345678'), '131026');
});

type Thread = { messages: { data: { id: string; from?: object }[] } };

const allPageScopes = [
  'pages_messaging',
  'pages_read_engagement',
  'pages_manage_metadata',
  'read_insights',
  'instagram_basic',
  'instagram_manage_messages',
];

function errorOf(answer: { body: Record<string, unknown> } | undefined): Record<string, unknown> {
  return Object(answer?.body.error);
}
