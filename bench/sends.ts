/**
 * A send to many contacts, from planning to the stored results: one push for each recipient, to a simulated LINE that answers at once.
 * Compared with the same pushes through the same HTTP client, without a database, in alternation. The job runs in this process.
 */
import { randomBytes } from 'node:crypto';
import { openKeys } from '../src/auth/keys.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import { anyContact } from '../src/contacts/filter.ts';
import { LineAccess } from '../src/line/access.ts';
import { LineClient } from '../src/line/line-client.ts';
import { workLane } from '../src/sends/job.ts';
import { lineSender } from '../src/sends/line-sender.ts';
import { callKey } from '../src/sends/message.ts';
import { planStep } from '../src/sends/plan.ts';
import { PlatformHost } from '../src/sends/platform-host.ts';
import type { Sender } from '../src/sends/sender.ts';
import { createSend, findSend } from '../src/sends/sends.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { channelSecret } from './stage.ts';
import { watchMemory } from './watch.ts';

const accessToken = 'the-access-token-of-the-bench';
const recipients = 20_000;
/** As many calls at a time as two windows of the job. */
const callsAtOnce = 200;
const noLimit = 1_000_000_000;
const text = 'Hello {{name|there}}';
const lookMs = 100;
const sentMsMax = 120_000;
const bytesInMegabyte = 1_024 * 1_024;

/** Recipients planned and sent a second. Throws if a recipient has no accepted message. */
export async function measureSends({ stage, plan, say }: Measuring): Promise<Line[]> {
  const { sql } = stage;
  const { botId } = await stage.addBot('sends');
  const keys = await openKeys({ secretKey: null, dataFolder: stage.dataFolder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  await setChannel(sql, { botId, platform: 'line', secret: channelSecret, accessToken }, making);
  await addContacts(sql, botId, recipients);
  const bare = await stage.startBare();
  const address = `http://127.0.0.1:${bare.port}`;
  const host = new PlatformHost('LINE', `${address}/`);
  // The channel has a token of its own, so the client makes no call.
  const access = new LineAccess(new LineClient(address), { clock: Date.now, onCall: () => undefined });
  const sender: Sender = {
    ...lineSender(host, access),
    callsPerSecond: { single: noLimit, multiple: noLimit },
  };
  const message = { text, quickReplies: [], whatsAppTemplate: null, tag: null };
  const values: number[] = [];
  const references: number[] = [];
  try {
    // The first round warms up both sides.
    for (let run = -1; run < plan.runs; run++) {
      await stage.settle();
      const straight = await rate(() => pushAll(host));
      const sent = await rate(() => sendAll({ sql, keys, botId, sender, message, run }));
      if (run < 0) continue;
      values.push(sent);
      references.push(straight);
      say(`sends ${Math.round(sent)} recipients/s, bare requests ${Math.round(straight)}/s`);
    }
  } finally {
    await host.close();
  }
  const server = await stage.startServer('--line-api', address);
  const memory = watchMemory(server.pid);
  await waitUntilSent(sql, await create({ sql, botId, message, name: 'through the server' }));
  const serverMemory = await memory.end();
  await server.stop();
  const planned = await planMany({ stage, message, count: plan.plannedRecipients });
  say(`plan of ${plan.plannedRecipients} recipients: ${Math.round(planned.rate)} recipients/s`);
  const what = 'the same requests through the same client';
  return [
    {
      what: 'recipients planned, sent to and settled',
      unit: 'recipients/s',
      values,
      against: { what, values: references },
      ratios: values.map((value, index) => value / (references[index] ?? 0)),
      target: { statistic: 'median', sense: 'at least', bound: 0.5 },
    },
    {
      what: 'memory of a server that sends',
      unit: 'MB',
      values: serverMemory,
      target: { statistic: 'max', sense: 'at most', bound: 250 },
    },
    {
      what: `recipients of a send to ${plan.plannedRecipients.toLocaleString('en')} contacts, planned`,
      unit: 'recipients/s',
      values: [planned.rate],
    },
    {
      what: 'growth of the memory while it is planned',
      unit: 'MB',
      values: planned.growth,
      target: { statistic: 'max', sense: 'at most', bound: 50 },
    },
  ];
}

async function addContacts(sql: Sql, botId: string, count: number): Promise<void> {
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, 'C' || translate(serial::text, '0123456789', 'ABCDEFGHIJ'), 'line', 'U' || lpad(serial::text, 32, '0'), now()
    from generate_series(1, ${count}) serial`;
}

/** Plans a send to many contacts in this process, without sending it. `growth`: of the resident memory, in MB each 100 ms. */
async function planMany({
  stage: { sql, addBot },
  message,
  count,
}: Pick<Measuring, 'stage'> & { message: Message; count: number }): Promise<{
  rate: number;
  growth: number[];
}> {
  const { botId } = await addBot('a large plan');
  await addContacts(sql, botId, count);
  const send = await create({ sql, botId, message, name: 'planned' });
  const before = process.memoryUsage.rss() / bytesInMegabyte;
  const memory = watchMemory(process.pid, lookMs);
  const startedAt = performance.now();
  while (!(await planStep(sql, send, { now: Date.now() })));
  const seconds = (performance.now() - startedAt) / 1_000;
  const growth = (await memory.end()).map((megabytes) => megabytes - before);
  const planned = await findSend(sql, send);
  if (planned.recipients !== count)
    throw new Error(`${planned.recipients} of ${count} recipients are planned`);
  return { rate: count / seconds, growth };
}

async function rate(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (recipients * 1_000) / (performance.now() - startedAt);
}

async function pushAll(host: PlatformHost): Promise<void> {
  let next = 0;
  const messages = [{ type: 'text', text: 'Hello there' }];
  const one = async (): Promise<void> => {
    while (next < recipients) {
      next += 1;
      const headers = { authorization: `Bearer ${accessToken}`, 'x-line-retry-key': callKey('bare', next) };
      const to = `U${String(next).padStart(32, '0')}`;
      const answer = await host.post('/v2/bot/message/push', { to, messages }, headers);
      if (!('status' in answer) || answer.status !== 200) throw new Error('a bare push failed');
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, one));
}

type Message = Parameters<typeof createSend>[1]['message'];
type Sql = Measuring['stage']['sql'];

/** A send to all contacts of the bot. */
async function create({
  sql,
  botId,
  message,
  name,
}: {
  sql: Sql;
  botId: string;
  message: Message;
  name: string;
}) {
  const content = { botId, name, platform: 'line', message, zone: 'UTC' } as const;
  const rest = { quietHours: null, startsAt: null, key: null, createdBy: null };
  return (await createSend(sql, { ...content, ...rest, to: { filter: anyContact } }, { now: Date.now() }))
    .send;
}

async function sendAll({
  sql,
  keys,
  botId,
  sender,
  message,
  run,
}: Pick<Parameters<typeof workLane>[1], 'keys'> & {
  sql: Sql;
  botId: string;
  sender: Sender;
  message: Message;
  run: number;
}) {
  const send = await create({ sql, botId, message, name: `run ${run}` });
  const senders = { line: sender, facebook: sender, instagram: sender, whatsapp: sender, liveChat: sender };
  const log = { error: (...entry: unknown[]) => console.error(...entry) };
  const options = {
    sql,
    keys,
    senders,
    clock: Date.now,
    random: randomBytes,
    log,
    onStored: () => undefined,
  };
  await workLane({ botId, platform: 'line' }, options);
  const { state, accepted } = await findSend(sql, send);
  if (state !== 'done' || accepted !== recipients)
    throw new Error(`the send is ${state}, and ${accepted} of ${recipients} recipients have a message`);
}

async function waitUntilSent(sql: Sql, send: { botId: string; sendId: number }): Promise<void> {
  const endsAt = performance.now() + sentMsMax;
  while ((await findSend(sql, send)).state !== 'done') {
    if (performance.now() > endsAt) throw new Error('the server did not finish the send');
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
