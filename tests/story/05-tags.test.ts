/**
 * Chapter 5: a customer gets a tag.
 *
 * Somebody writes on WhatsApp. The shop's membership system finds the client over the MantaGo API, binds it to its own customer,
 * and tags it: by hand, and with an automatic tag that ends by itself. The tag cover follows at each step.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databasePlace, serve, shoal, shoalJson } from '../harness/cli.ts';
import { deliver, metaSecret, whatsappBody, whatsappNumberId } from '../harness/webhooks.ts';
import { type Answer, becomes, call, pairOf } from './calls.ts';

const customer = '886912345678';

test('a client is found, bound to a customer, tagged, and counted as tagged', async (t) => {
  const place = await databasePlace(t);
  const pair = pairOf(await shoalJson(place, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  const credentials = ['--app-secret', metaSecret, '--verify-token', 'a-word'];
  await shoalJson(
    place,
    ...['channel', 'set', botId, 'whatsapp', '--phone-number-id', whatsappNumberId],
    ...credentials,
  );
  const { address } = await serve(place);
  const ask = async (path: string, fields: Answer = {}) => {
    const { status, body } = await call(`${address}/api/openapi/${path}`, pair, fields);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  // Two people write.
  const at = Date.now() - 60_000;
  const messages = [
    { id: 'wamid.1', from: customer, at },
    { id: 'wamid.2', from: '886900000002', at },
  ];
  const { status } = await deliver(address, { botId, platform: 'whatsapp' }, whatsappBody(messages));
  assert.equal(status, 200);

  // POST /openapi/clients: both are there.
  const clients = async () => Object((await ask('clients')).clientList).list;
  await becomes(async () => (await clients()).length, 2);

  // POST /openapi/bind/customer: the shop knows the first one as customer 4711.
  await ask('bind/customer', { clientId: customer, customerId: '4711' });

  // POST /openapi/clientTag, and its id from the list: making a tag answers none.
  await ask('clientTag', { name: 'VIP' });
  const [vip] = Object(await ask('clientTags/list')).clientTagList;
  assert.equal(vip.name, 'VIP');

  // POST /openapi/clientTagMapping: the client is named by platform and id there.
  const client = { platform: 'whatsapp', platformClientId: customer };
  const cover = async () => Object((await ask('clients/analysis')).clientAnalysis).whatsappTagCoverRate;
  assert.equal(await cover(), 0);
  await ask('clientTagMapping', { tagId: vip.id, ...client });
  assert.equal(await cover(), 0.5);

  // An automatic tag with a life cycle of 30 days: it is on today, and ends by itself.
  await ask('autoTag', { name: 'Asked about oolong' });
  const [oolong] = Object(await ask('autoTags/list')).autoTagList;
  await ask(`autoTag/lifeCycle/update/${oolong.id}`, { isActive: true, lifeCycle: 30 });
  await ask('autoTagMapping', { autoTagId: oolong.id, ...client });
  const shown = Object((await clients()).find(({ clientId }: { clientId: string }) => clientId === customer));
  assert.equal(shown.customerId, '4711');
  assert.deepEqual(
    [...shown.tags, ...shown.autoTags].map(({ name }) => name),
    ['VIP', 'Asked about oolong'],
  );

  // On the command line tags go by their names; these are the manual ones.
  await shoalJson(place, 'tag', 'remove', botId, 'whatsapp', customer, 'VIP');
  assert.equal(await cover(), 0.5, 'the automatic tag is still on');
  await ask('autoTagMapping/delete', { autoTagId: oolong.id, ...client });
  assert.equal(await cover(), 0);

  // Whatever happened, a recount finds the kept figures right.
  assert.equal((await shoal(place, 'recount', botId, '--check')).code, 0);
});
