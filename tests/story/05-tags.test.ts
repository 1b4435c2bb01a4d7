/**
 * Chapter 5: a customer gets a tag.
 *
 * A customer sends a message on WhatsApp. The shop's membership system finds the client through the MantaGo API, binds it to
 * its own customer, and assigns a manual tag and an automatic tag that expires. Each step changes the tag cover rate.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, serve, shoal, shoalJson } from '../harness/cli.ts';
import { deliver, metaSecret, whatsappBody, whatsappNumberId } from '../harness/webhooks.ts';
import { type Answer, becomes, call, pairOf } from './calls.ts';

const customer = '886912345678';

test('a client is found, bound to a customer, tagged, and counted as tagged', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  const credentials = ['--app-secret', metaSecret, '--verify-token', 'a-word'];
  await shoalJson(
    environment,
    ...['channel', 'set', botId, 'whatsapp', '--phone-number-id', whatsappNumberId],
    ...credentials,
  );
  const { address } = await serve(environment);
  const ask = async (path: string, fields: Answer = {}) => {
    const { status, body } = await call(`${address}/api/openapi/${path}`, pair, fields);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  // Two people send messages.
  const at = Date.now() - 60_000;
  const messages = [
    { id: 'wamid.1', from: customer, at },
    { id: 'wamid.2', from: '886900000002', at },
  ];
  const { status } = await deliver(address, { botId, platform: 'whatsapp' }, whatsappBody(messages));
  assert.equal(status, 200);

  // POST /openapi/clients lists both.
  const clients = async () => Object((await ask('clients')).clientList).list;
  await becomes(async () => (await clients()).length, 2);

  // POST /openapi/bind/customer: the first one is the shop's customer 4711.
  await ask('bind/customer', { clientId: customer, customerId: '4711' });

  // POST /openapi/clientTag, which returns no id, so the id comes from the list.
  await ask('clientTag', { name: 'VIP' });
  const [vip] = Object(await ask('clientTags/list')).clientTagList;
  assert.equal(vip.name, 'VIP');

  // POST /openapi/clientTagMapping identifies the client by platform and id.
  const client = { platform: 'whatsapp', platformClientId: customer };
  const cover = async () => Object((await ask('clients/analysis')).clientAnalysis).whatsappTagCoverRate;
  assert.equal(await cover(), 0);
  await ask('clientTagMapping', { tagId: vip.id, ...client });
  assert.equal(await cover(), 0.5);

  // An automatic tag with a life cycle of 30 days is assigned today and expires by itself.
  await ask('autoTag', { name: 'Asked about oolong' });
  const [oolong] = Object(await ask('autoTags/list')).autoTagList;
  await ask(`autoTag/lifeCycle/update/${oolong.id}`, { isActive: true, lifeCycle: 30 });
  await ask('autoTagMapping', { autoTagId: oolong.id, ...client });
  const shownClient = Object(
    (await clients()).find(({ clientId }: { clientId: string }) => clientId === customer),
  );
  assert.equal(shownClient.customerId, '4711');
  assert.deepEqual(
    [...shownClient.tags, ...shownClient.autoTags].map(({ name }) => name),
    ['VIP', 'Asked about oolong'],
  );

  // The command line identifies tags by name; these are the manual ones.
  await shoalJson(environment, 'tag', 'remove', botId, 'whatsapp', customer, 'VIP');
  assert.equal(await cover(), 0.5, 'the automatic tag is still assigned');
  await ask('autoTagMapping/delete', { autoTagId: oolong.id, ...client });
  assert.equal(await cover(), 0);

  // A recount confirms the stored figures.
  assert.equal((await shoal(environment, 'recount', botId, '--check')).code, 0);
});
