/**
 * The contract as a router: the routes of a document, and the faults that stop the start.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import Fastify, { type FastifyInstance } from 'fastify';
import { Refusal } from '../errors.ts';
import { bindContract, type Contract, readContract } from './contract.ts';

const shop = `
openapi: 3.0.3
info: {title: Shop, version: '1'}
paths:
  /shop/goods/{goodId}:
    parameters:
    - {$ref: '#/components/parameters/GoodId'}
    get:
      operationId: getGood
      parameters:
      - {name: count, in: query, schema: {type: integer, minimum: 1}}
      responses:
        '200': {$ref: '#/components/responses/Good'}
        '404': {description: unknown}
    delete:
      operationId: deleteGood
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Reason'}}}
      responses:
        '200': {description: gone}
  /shop/goods:
    post:
      operationId: createGood
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}
      responses:
        '201': {$ref: '#/components/responses/Good'}
components:
  parameters:
    GoodId: {name: goodId, in: path, required: true, schema: {type: string, pattern: '^g'}}
  responses:
    Good:
      description: a good
      content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}
  schemas:
    Reason: {type: object, required: [reason], properties: {reason: {type: string}}}
    Good:
      type: object
      required: [price, name]
      properties:
        name: {type: string, example: tea}
        price: {type: number, format: float}
        sizes: {type: array, items: {$ref: '#/components/schemas/Size'}}
    Size: {type: object, properties: {width: {type: integer}}}
`;

async function read(t: TestContext, text: string, options = {}): Promise<Contract> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'contract.yaml');
  await writeFile(file, text);
  return readContract(pathToFileURL(file), options);
}

type Handler = ((params: unknown) => unknown) | null;

async function serve(t: TestContext, handlers: Record<string, Handler>): Promise<FastifyInstance> {
  const contract = await read(t, shop);
  const app = Fastify();
  t.after(() => app.close());
  await app.register(
    async (scope) => {
      scope.setErrorHandler((error, _request, reply) => {
        const { entry, message } =
          error instanceof Refusal ? error : { entry: { status: 500 }, message: 'fault' };
        return reply.code(entry.status).send({ message });
      });
      bindContract<Handler>(scope, contract, {
        within: '/shop',
        handlers: { getGood: null, deleteGood: null, createGood: null, ...handlers },
        toRoute: ({ id, problemOf }, handler) => ({
          handler: async ({ params, query, body }) =>
            problemOf({ params, query, body }) ?? (handler ? handler({ params, query }) : `no ${id}`),
        }),
      });
    },
    { prefix: '/v1' },
  );
  return app;
}

test('operations become routes below the prefix, path and query in the types of the contract', async (t) => {
  const app = await serve(t, { createGood: (sent) => sent, deleteGood: (sent) => JSON.stringify(sent) });
  const deleted = await app.inject({ method: 'DELETE', url: '/v1/goods/g1' });
  assert.equal(deleted.body, '{"params":{"goodId":"g1"},"query":{}}');
  assert.equal((await app.inject('/v1/goods/g1?count=3')).body, 'no getGood');
  assert.equal((await app.inject('/goods/g1')).statusCode, 404);
});

test('a success answer has exactly the members of the contract, in its order', async (t) => {
  const good = { secret: 'hush', sizes: [{ width: 1.0, depth: 2 }], price: 1.5, name: 'tea' };
  const app = await serve(t, { getGood: () => good });
  assert.equal((await app.inject('/v1/goods/g1')).body, '{"name":"tea","price":1.5,"sizes":[{"width":1}]}');
});

test('the first problem is described in words: path, then query, then body', async (t) => {
  const { operations } = await read(t, shop);
  const problem = (id: string, sent: { params?: unknown; query?: unknown; body?: unknown }) =>
    operations
      .find((operation) => operation.id === id)
      ?.problemOf({ params: {}, query: {}, body: undefined, ...sent });
  assert.equal(problem('getGood', { query: { count: 'x' } }), 'goodId in the path is missing');
  assert.equal(problem('getGood', { params: { goodId: 'x' } }), 'goodId in the path must match pattern "^g"');
  const params = { goodId: 'g1' };
  assert.equal(
    problem('getGood', { params, query: { count: 'x' } }),
    'count in the query must be a whole number, not a string',
  );
  assert.equal(problem('getGood', { params, query: { count: '0' } }), 'count in the query must be >= 1');
  assert.equal(
    problem('getGood', { params, query: { count: ['1', '2'] } }),
    'count in the query must be a whole number, not an array',
  );
  assert.equal(problem('getGood', { params, query: { count: '2' }, body: 'whatever' }), null);
  assert.equal(problem('createGood', {}), 'the body must be an object, not nothing');
  assert.equal(problem('createGood', { body: { name: 'tea' } }), 'price in the body is missing');
  const good = { name: 'tea', price: 1 };
  assert.equal(
    problem('createGood', { body: { ...good, sizes: [{}, { width: 1.5 }] } }),
    'sizes[1].width in the body must be a whole number, not a number',
  );
  assert.equal(
    problem('createGood', { body: { ...good, price: '1' } }),
    'price in the body must be a number, not a string',
  );
  assert.equal(problem('createGood', { body: { ...good, further: true } }), null);
});

test('a list may be sent with commas or by several parameters; null may be one of several types', async (t) => {
  const lists = shop.replace(
    '- {name: count,',
    `- {name: sizes, in: query, explode: false, schema: {type: array, items: {type: integer}}}
      - {name: names, in: query, schema: {type: array, items: {type: [string, 'null'], minLength: 2}}}
      - {name: count,`,
  );
  const { operations } = await read(t, lists);
  const check = (query: object) => operations[0]?.problemOf({ params: { goodId: 'g1' }, query, body: null });
  const query = { sizes: '1,2', names: 'ab' };
  assert.equal(check(query), null);
  assert.deepEqual(query, { sizes: [1, 2], names: ['ab'] });
  assert.equal(check({ names: ['ab', 'c,d'] }), null);
  assert.equal(check({ sizes: '1,x' }), 'sizes[1] in the query must be a whole number, not a string');
  assert.equal(check({ names: [['a']] }), 'names[0] in the query must be a string or null, not an array');
});

test('a closed query has no parameter beyond the declared ones', async (t) => {
  const { operations } = await read(t, shop, { closedQuery: true });
  const check = (query: object) => operations[0]?.problemOf({ params: { goodId: 'g1' }, query, body: null });
  assert.equal(check({ count: '1' }), null);
  assert.equal(check({ cuont: '1' }), 'cuont in the query is not known; there is count');
});

test("an operation has its own scopes or else the document's, and the status of its success", async (t) => {
  const own = shop
    .replace('paths:', 'security: [{token: [read]}]\npaths:')
    .replace('operationId: createGood', 'operationId: createGood\n      security: [{token: [write]}]');
  const { operations } = await read(t, own);
  assert.deepEqual(
    operations.map(({ id, scopes, success }) => [id, scopes, success]),
    [
      ['getGood', ['read'], 200],
      ['deleteGood', ['read'], 200],
      ['createGood', ['write'], 201],
    ],
  );
});

test('an optional body may be left out, but must be valid', async (t) => {
  const { operations } = await read(t, shop);
  const check = operations.find(({ id }) => id === 'deleteGood')?.problemOf;
  const sent = { params: { goodId: 'g1' }, query: {} };
  assert.equal(check?.({ ...sent, body: undefined }), null);
  assert.equal(check?.({ ...sent, body: {} }), 'reason in the body is missing');
});

test('an unknown path is refused, and a known path with another method names its methods', async (t) => {
  const app = await serve(t, {});
  const missing = await app.inject('/v1/nothing?secret=hush');
  assert.deepEqual([missing.statusCode, missing.json()], [404, { message: 'There is no GET /v1/nothing' }]);
  const wrong = await app.inject({ method: 'PUT', url: '/v1/goods/g1?secret=hush' });
  const refusal = { message: '/v1/goods/g1 takes GET, DELETE, HEAD, not PUT' };
  assert.deepEqual(
    [wrong.statusCode, wrong.json(), wrong.headers.allow],
    [405, refusal, 'GET, DELETE, HEAD'],
  );
  assert.equal((await app.inject({ method: 'HEAD', url: '/v1/goods/g1' })).statusCode, 200);
  assert.equal((await app.inject({ method: 'HEAD', url: '/v1/goods' })).statusCode, 405);
});

test('a handler for an operation that the contract does not have stops the start', async (t) => {
  await assert.rejects(
    serve(t, { getGood: () => null, getGoods: () => null }),
    /Shop has no operation getGoods/,
  );
});

test('an operation without a handler stops the start', async (t) => {
  const contract = await read(t, shop);
  const toRoute = () => ({ handler: async () => null });
  const handlers = { getGood: null, deleteGood: null };
  assert.throws(
    () => bindContract(Fastify(), contract, { within: '/shop', handlers, toRoute }),
    /createGood of Shop has no handler/,
  );
});

test('an invalid document is refused, with the fault', async (t) => {
  const broken: [from: string, to: string, message: RegExp][] = [
    [
      'Size: {type: object',
      "Size: {$ref: '#/components/schemas/Good', type: object",
      /(Good|Size) leads to itself/,
    ],
    ['#/components/parameters/GoodId', '#/components/parameters/Unknown', /Unknown leads nowhere/],
    ['operationId: deleteGood', 'operationId: getGood', /two operations with the id getGood/],
    ['/shop/goods:', '/shop/goods: [', /in "[^"]+\.yaml" \(23:18\)/],
  ];
  for (const [from, to, message] of broken)
    await assert.rejects(read(t, shop.replace(from, to)), { message });
});

test('a check that cannot be compiled throws at the first call', async (t) => {
  const { operations } = await read(t, shop.replace("pattern: '^g'", "pattern: '['"));
  const call = () => operations.map(({ problemOf }) => problemOf({ params: {}, query: {}, body: {} }));
  assert.throws(call, /regular expression/);
});

test('every check of the contracts can be compiled', async () => {
  const folder = new URL('../../contracts/', import.meta.url);
  const partial = 'mantago-partial.yaml';
  for (const name of await readdir(folder)) {
    if (name === partial || !name.endsWith('.yaml')) continue;
    const additions = name === 'mantago.yaml' ? [new URL(partial, folder)] : [];
    const { operations } = await readContract(new URL(name, folder), { additions, closedQuery: true });
    for (const { id, problemOf } of operations)
      assert.doesNotThrow(() => problemOf({ params: {}, query: {}, body: {}, headers: {} }), id);
  }
});

test("both public contracts can be read: MantaGo's 27 operations, and LINE's five", async () => {
  const operationsOf = async (name: string) => {
    const { operations } = await readContract(new URL(`../../contracts/${name}.yaml`, import.meta.url));
    return operations.length;
  };
  assert.equal(await operationsOf('mantago'), 27);
  assert.equal(await operationsOf('line-insight'), 5);
});
