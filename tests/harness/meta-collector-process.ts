/**
 * A process that collects Meta's figures of one bot, for tests that kill it. Its parent passes the time (ms) as a message; the process
 * collects everything that is due then, and answers with a message.
 */
import { pino } from 'pino';
import { openKeys } from '../../src/auth/keys.ts';
import { callLimit } from '../../src/collector/call-limit.ts';
import { Collector } from '../../src/collector/collector.ts';
import { connect } from '../../src/database/pool.ts';
import { GraphClient } from '../../src/meta/graph-client.ts';
import { metaSource } from '../../src/meta/meta-source.ts';
import { seededBytes } from './random.ts';

const {
  DATABASE_URL: url = '',
  SHOAL_GRAPH_API: address = '',
  SHOAL_SECRET_KEY: secretKey = '',
  BOT_ID: botId = '',
} = process.env;
const callsPerHour = 60;

let now = 0;
const clock = () => now;
const random = seededBytes(3);
const collector = new Collector({
  ...{ clock, random, botIds: [botId], limit: callLimit(callsPerHour), log: pino({ level: 'silent' }) },
  sql: connect(url, { max: 4, applicationName: 'shoal collect' }),
  source: metaSource({
    ...{ clock, keys: await openKeys({ secretKey, dataFolder: '', random }), onCall: () => undefined },
    graph: new GraphClient({ facebook: address, instagram: address }),
  }),
  onStored: () => undefined,
});
process.on('message', async (time: number) => {
  now = time;
  while ((await collector.round()) > 0);
  process.send?.('waiting');
});
