/**
 * A process that does the steps of an import from MantaGo until it ends, for tests that kill it. NOW is its time at the start (ms).
 */
import { randomBytes } from 'node:crypto';
import { openKeys } from '../../src/auth/keys.ts';
import { connect } from '../../src/database/pool.ts';
import { MantagoClient } from '../../src/mantago/mantago-client.ts';
import { runImport } from '../../src/mantago/steps.ts';
import { openGate } from '../../src/webhooks-out/addresses.ts';

const {
  DATABASE_URL: url = '',
  SHOAL_SECRET_KEY: secretKey = '',
  BOT_ID: botId = '',
  NOW: startedAt = '',
} = process.env;
const clock = () => Number(startedAt) + Math.floor(performance.now());
const sql = connect(url, { max: 2, applicationName: 'shoal mantago import' });
const client = new MantagoClient(openGate({ allowPrivate: true }), clock);
const keys = await openKeys({ secretKey, dataFolder: '', random: randomBytes });
const parts = { sql, keys, client, clock, random: randomBytes };
const { state } = await runImport(parts, botId, {
  stop: new AbortController().signal,
  onStep: () => undefined,
});
client.close();
await sql.end();
process.exitCode = state === 'done' ? 0 : 1;
