/**
 * The published TypeScript client, built like its package, against a server.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { databaseEnvironment, serve, shoalJson } from '../harness/cli.ts';

type ClientModule = typeof import('../../clients/typescript/src/index.ts');

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const channelToken = 'channel-access-token';

/** The built package, placed in node_modules so that it resolves openapi-fetch. */
async function buildClient(t: TestContext): Promise<ClientModule> {
  const cache = join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'shoal-client-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await run(join(root, 'node_modules/.bin/tsc'), [
    '-p',
    join(root, 'clients/typescript'),
    '--outDir',
    folder,
  ]);
  return import(pathToFileURL(join(folder, 'clients/typescript/src/index.js')).href);
}

async function startBot(t: TestContext) {
  const environment = await databaseEnvironment(t);
  const bot = await shoalJson(environment, 'bot', 'create', '--name', 'Shop');
  const [botId, apiToken, apiSecret] = [bot.botId, bot.apiToken, bot.apiSecret].map(String);
  if (!botId || !apiToken || !apiSecret) throw new Error('the bot has no pair');
  const credentials = ['--channel-secret', 'secret', '--channel-access-token', channelToken];
  await shoalJson(environment, 'channel', 'set', botId, 'line', ...credentials);
  const { token } = await shoalJson(environment, 'admin-token', 'create', '--scope', 'read');
  const { address: baseUrl } = await serve(environment);
  return { baseUrl, botId, apiToken, apiSecret, adminToken: String(token) };
}

test('the TypeScript client reads figures through the three APIs', async (t) => {
  const { createLineInsightClient, createManagementClient, createMantagoClient } = await buildClient(t);
  const { baseUrl, botId, apiToken, apiSecret, adminToken } = await startBot(t);

  const mantago = createMantagoClient({ baseUrl, token: apiToken });
  const analysis = await mantago.POST('/openapi/clients/analysis', {
    params: { query: { botId } },
    body: { secret: apiSecret, platform: 'line' },
  });
  assert.equal(analysis.data?.clientAnalysis?.lineFollowers, 0);
  const refused = await mantago.POST('/openapi/clients/analysis', {
    params: { query: { botId } },
    body: { secret: 'wrong' },
  });
  assert.deepEqual([refused.response.status, refused.error?.success], [403, false]);

  const insight = createLineInsightClient({ baseUrl, token: channelToken });
  const followers = await insight.GET('/v2/bot/insight/followers', {
    params: { query: { date: '20200101' } },
  });
  assert.equal(followers.data?.status, 'out_of_service');

  const management = createManagementClient({ baseUrl, token: adminToken });
  const series = await management.GET('/api/v1/bots/{botId}/figures/series', {
    params: { path: { botId }, query: { platforms: ['line', 'facebook'], figures: ['followers'] } },
  });
  assert.deepEqual(
    series.data?.series.map(({ platform }) => platform),
    ['line', 'facebook', 'all'],
  );
  const unknown = await management.GET('/api/v1/bots/{botId}', { params: { path: { botId: 'NoSuchBot' } } });
  assert.equal(unknown.error?.code, 'BOT_NOT_FOUND');
});

test('an invalid path, parameter or body does not compile', async () => {
  const { createMantagoClient } = await import('../../clients/typescript/src/index.ts');
  const answered = async () => new Response('{}');
  const client = createMantagoClient({ baseUrl: 'http://127.0.0.1', token: 't', fetch: answered });
  // @ts-expect-error no such path
  await client.POST('/openapi/clients/nothing', {});
  // @ts-expect-error the secret is missing
  await client.POST('/openapi/clients/analysis', { params: { query: { botId: 'b' } }, body: {} });
  const params = { query: { botId: 'b' } };
  // @ts-expect-error no such platform
  await client.POST('/openapi/clients/analysis', { params, body: { secret: 's', platform: 'telegraph' } });
});
