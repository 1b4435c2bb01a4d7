/** `shoal collect` of a bot with Meta channels only, with the Meta simulator on the machine's clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, shoal, shoalJson } from '../../tests/harness/cli.ts';
import { testMetaSimulator } from '../../tests/harness/meta-simulator.ts';

test('collect fetches the figures and the earlier conversations of Meta channels, and reconcile shows both counts', async (t) => {
  const options = { clock: () => Date.now(), people: 10, pastDays: 12 };
  const simulator = await testMetaSimulator(t, options);
  const { credentials, address, control } = simulator;
  const plain = await databaseEnvironment(t);
  const addresses = { SHOAL_GRAPH_API: address, SHOAL_INSTAGRAM_API: address };
  const environment = { ...plain, env: { ...plain.env, ...addresses } };
  const botId = String((await shoalJson(environment, 'bot', 'create', '--name', 'Shop')).botId);
  const refused = await shoal(environment, 'collect', botId, '--history');
  assert.match(refused.stderr, /has no line channel|--history needs a Messenger or Instagram channel/);
  const secrets = ['--app-secret', credentials.appSecret, '--verify-token', credentials.verifyToken];
  const page = ['--account-id', credentials.pageId, '--access-token', credentials.accessTokens.page];
  await shoalJson(environment, 'channel', 'set', botId, 'facebook', ...secrets, ...page);
  const collected = await shoal(environment, 'collect', botId, '--history');
  assert.equal(collected.code, 0, collected.stderr);
  assert.match(collected.stdout, new RegExp(`^${botId} facebook: collecting`));
  assert.match(collected.stdout, /page-insights +resting/);
  assert.match(collected.stdout, /facebook-history +resting/);
  const { meta } = (await shoalJson(environment, 'collect', 'status', botId)) as {
    meta: { platform: string }[];
  };
  assert.deepEqual(
    meta.map(({ platform }) => platform),
    ['facebook'],
  );
  const { days, zone } = (await shoalJson(environment, 'reconcile', botId, '--platform', 'facebook')) as {
    days: { day: string; figures: { contacts: { own: number; theirs: number | null } } }[];
    zone: string;
  };
  assert.equal(zone, 'America/Los_Angeles');
  const compared = days.findLast(({ figures }) => figures.contacts.theirs !== null);
  const truth = control.truth().days.find(({ day }) => day === compared?.day);
  assert.equal(compared?.figures.contacts.theirs, truth?.page.page_messages_total_messaging_connections);
  // People who only tapped are not in the conversations.
  assert.ok(Number(compared?.figures.contacts.own) > 0);
  const figures = await shoalJson(environment, 'platform-figures', botId, '--platform', 'facebook');
  const { latest } = figures as { latest: { figure: string; value: unknown; day: string }[] };
  for (const { figure, value, day } of latest) {
    const { page: counts } = control.truth().days.find((one) => one.day === day) ?? {};
    assert.equal(value, Object(counts)[figure], figure);
  }
  const shown = await shoal(environment, 'platform-figures', botId, '--platform', 'whatsapp', '--templates');
  assert.match(shown.stdout, /in UTC, reported at –\.\ntemplate/, 'there is no number');
  const text = await shoal(environment, 'reconcile', botId, '--platform', 'facebook');
  assert.match(text.stdout, /^Days in America\/Los_Angeles\.\n/);
});
