/** `shoal channel set` of Meta channels, with the Meta simulator that checks the access tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, shoal, shoalJson } from '../../tests/harness/cli.ts';
import { graph, testMetaSimulator } from '../../tests/harness/meta-simulator.ts';

test('an access token is checked when it is set: its end, missing permissions, another account, a refusal', async (t) => {
  const simulator = await testMetaSimulator(t, { people: 2, pastDays: 2 });
  const { credentials, control, address } = simulator;
  const plain = await databaseEnvironment(t);
  const environment = {
    ...plain,
    env: { ...plain.env, SHOAL_GRAPH_API: address, SHOAL_INSTAGRAM_API: address },
  };
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'Shop');
  const { page, instagram, whatsapp } = credentials.accessTokens;
  const secrets = ['--app-secret', credentials.appSecret, '--verify-token', credentials.verifyToken];
  const set = (platform: string, ...options: string[]) =>
    shoal(environment, 'channel', 'set', String(botId), platform, ...secrets, ...options);
  const ofInstagram = await set(
    'instagram',
    '--account-id',
    credentials.instagramId,
    '--access-token',
    instagram,
  );
  assert.match(
    ofInstagram.stdout,
    /Meta accepts the access token\. It expires on 2026-05-17T21:00:00\.000Z\./,
  );
  control.set({
    tokens: { page: { scopes: ['pages_messaging', 'pages_read_engagement', 'pages_show_list'] } },
  });
  const ofPage = await set('facebook', '--account-id', credentials.pageId, '--access-token', page);
  assert.match(ofPage.stdout, /It does not expire\. Missing permissions: read_insights\./);
  const wrongPage = await set('facebook', '--account-id', '4', '--access-token', page);
  assert.match(wrongPage.stderr, new RegExp(`belongs to ${credentials.pageId}, not to the page 4`));
  const number = ['--phone-number-id', credentials.phoneNumberId, '--access-token', whatsapp];
  const withoutAccount = await set('whatsapp', ...number);
  assert.match(withoutAccount.stderr, /The business account id is missing/);
  control.fail({ code: 190, subcode: 463, path: '/me', status: 401, message: 'Session has expired' });
  const refused = await set('whatsapp', ...number, '--business-account-id', credentials.businessAccountId);
  assert.match(refused.stderr, /Meta refuses the access token\. Meta answers: Session has expired/);
  control.fail({ kind: 'cut', path: '/me' });
  const unchecked = await set('whatsapp', ...number, '--business-account-id', credentials.businessAccountId);
  assert.match(unchecked.stdout, /was not checked, because Meta cannot be reached/);
  for (const { stdout, stderr } of [ofInstagram, ofPage, wrongPage, refused, unchecked])
    assert.ok(!`${stdout}${stderr}`.includes(page) && !`${stdout}${stderr}`.includes(whatsapp));
  const { stdout: list } = await shoal(environment, 'channel', 'list', String(botId));
  assert.match(list, /permission read_insights missing/);
  assert.match(list, /access token expires 2026-05-17T21:00:00\.000Z/);
  assert.equal((await graph(simulator, '/me', { token: page })).status, 200);
});
