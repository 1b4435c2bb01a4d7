/**
 * A bot that moves in: one bot of the MantaGo API plays the business's bot at MantaGo, a second one is its new bot.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Sql } from '../../src/database/client.ts';
import { repeatedTransaction } from '../../src/database/repeated-transaction.ts';
import { type MantagoImport, readImport, startImport } from '../../src/mantago/imports.ts';
import { MantagoClient } from '../../src/mantago/mantago-client.ts';
import { type ImportParts, stepImport } from '../../src/mantago/steps.ts';
import { writePoints } from '../../src/points/ledger.ts';
import { addTags } from '../../src/tags/tags.ts';
import { type Bot, type MantagoServer, mantagoServer } from '../contract/mantago-server.ts';
import { type FakeMantago, fakeMantago } from './mantago.ts';

export type MovingIn = {
  server: MantagoServer;
  sql: Sql;
  mantago: FakeMantago;
  theirs: Bot;
  /** The new bot. */
  botId: string;
  parts: ImportParts & { client: MantagoClient };
  start(options?: {
    encodedIds?: string[];
    secret?: string;
    callsPerMinute?: number;
  }): Promise<MantagoImport>;
  /** The clock of the import (ms). */
  time: { now: number };
  /** Steps until the walk ends; the clock jumps to each due time. Returns its last state. */
  walk(parts?: ImportParts): Promise<MantagoImport>;
};

const stepsMax = 5_000;

export async function movingIn(t: TestContext): Promise<MovingIn> {
  const server = await mantagoServer();
  const { sql, keys } = server;
  const theirs = await server.addBot();
  const mantago = await fakeMantago(t, { app: server.app, sql, theirBotId: theirs.botId });
  const time = { now: server.now };
  const clock = () => time.now;
  const client = new MantagoClient({ ...server.gate, allowPrivate: true }, clock);
  t.after(() => client.close());
  const { botId } = server.bot;
  const parts = { sql, keys, client, clock, random: randomBytes };
  const connection = {
    ...{ botId, address: `${mantago.address}/api`, theirBotId: theirs.botId },
    ...{ token: theirs.apiToken, secret: theirs.apiSecret },
  };
  return {
    ...{ server, sql, mantago, theirs, botId, parts, time },
    start: (options = {}) => startImport(sql, { ...connection, ...options }, parts),
    async walk(own = parts) {
      for (let steps = 0; steps < stepsMax; steps += 1) {
        const outcome = await stepImport(own, botId);
        const walk = await readImport(sql, botId, time.now);
        if (outcome === 'ended' || walk.state !== 'running') return walk;
        time.now = Math.max(time.now, walk.nextAt?.getTime() ?? 0);
      }
      return assert.fail('the walk does not end');
    },
  };
}

/** The platform id of the nth LINE client. */
export function lineId(index: number): string {
  return `U${createHash('sha256').update(`client ${index}`).digest('hex').slice(0, 32)}`;
}

/** Adds LINE clients with the numbers `from` to `to` to MantaGo's bot: each with a name and points, every tenth with customer and tags. */
export async function addTheirClients(
  { sql, theirs: { botId }, server: { now } }: MovingIn,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const indexes = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  await sql`
    insert into contacts ${sql(
      indexes.map((index) => ({
        ...{
          bot_id: botId,
          contact_id: theirId(index),
          platform: 'line',
          platform_contact_id: lineId(index),
        },
        created_at: new Date(now - 86_400_000 + index * 1_000),
      })),
    )}`;
  await sql`
    insert into contact_profiles ${sql(
      indexes.map((index) => ({
        ...{ bot_id: botId, contact_id: theirId(index), name: `Client ${index}`, updated_at: new Date(now) },
        customer_id: index % 10 === 0 ? `cust-${index}` : null,
      })),
    )}`;
  await givePoints(
    sql,
    botId,
    indexes.map((index) => ({ contactId: theirId(index), amount: index + 1, key: `p${index}` })),
    now,
  );
  const tagged = indexes
    .filter((index) => index % 10 === 0)
    .map((index) => ({ contactId: theirId(index), tag: 'VIP' }));
  await sql.begin(async (tx) => {
    for (const kind of ['manual', 'automatic'] as const)
      await addTags(tx, { botId, kind, tags: tagged }, { now: now - 3_600_000, random: randomBytes });
    await addTags(tx, { botId, kind: 'personal', tags: tagged.slice(0, 1) }, { now, random: randomBytes });
  });
}

export async function givePoints(
  sql: Sql,
  botId: string,
  list: readonly { contactId: string; amount: number; key: string }[],
  now: number,
): Promise<void> {
  const changes = list.map((one) => ({ kind: 'earn' as const, expiresAt: null, ...one }));
  await repeatedTransaction(sql, (tx) => writePoints(tx, botId, changes, { now }));
}

/** MantaGo's encoded id of the nth client. */
export function theirId(index: number): string {
  return `Encoded${index.toString(26).replace(/\d/g, (digit) => 'QRSTUVWXYZ'[Number(digit)] ?? '')}`;
}

/** All data that the import writes, without ids and times of its own. */
export async function carried({ sql, botId }: MovingIn) {
  return sql`
    select contact.platform, contact.platform_contact_id, contact.created_at, name, customer_id,
      (select array_agg(contact_id order by contact_id) from contacts former
        where bot_id = ${botId} and merged_into = contact.contact_id) as former,
      (select array_agg(tags.kind || ' ' || tags.name || ' ' || contact_tags.created_at order by tags.kind, tags.name) from contact_tags
        join tags on tags.bot_id = ${botId} and tags.tag_id = contact_tags.tag_id
        where contact_tags.bot_id = ${botId} and contact_tags.contact_id = contact.contact_id) as tags,
      (select array_agg(amount || ' ' || reason order by entry_id) from point_entries
        where bot_id = ${botId} and contact_id = contact.contact_id) as points
    from contacts contact left join contact_profiles profile
      on profile.bot_id = ${botId} and profile.contact_id = contact.contact_id
    where contact.bot_id = ${botId} and contact.merged_into is null
    order by contact.platform, contact.platform_contact_id`;
}
