/**
 * Reads the names of contacts from folded deliveries, in a background scan: no figure needs names, so no fold waits for them.
 *
 * The scan stays behind every delivery that is pending or not settled (settled-page.ts).
 */
import { lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { readSettledPage, settledMs } from '../inbox/settled-page.ts';
import { readProfileNames } from '../platforms/whatsapp-names.ts';
import { type ReportedName, writeNames } from './profiles.ts';

const pageDeliveries = 500;
const pageBytesMax = 8 * 1024 * 1024;

/**
 * Reads the names in the next deliveries of every bot with a WhatsApp channel, and stores the latest of each contact. `more`: call
 * again at once. Idempotent, also in several processes.
 */
export async function readNames(sql: Sql, { now }: { now: number }): Promise<{ more: boolean }> {
  const channels = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels where platform = 'whatsapp'`;
  const bots = await sql<{ botId: string }[]>`
    select channel.bot_id as "botId"
    from ${rowTable(sql, 'channel', channels, { bot_id: ['text', ({ botId }) => botId] })}
    where exists (
      select from deliveries where deliveries.bot_id = channel.bot_id and delivery_id > coalesce((
        select delivery_id from profile_positions where profile_positions.bot_id = channel.bot_id), 0)
        and received_at < ${new Date(now - settledMs)})`;
  let more = false;
  for (const { botId } of bots) {
    const count = await sql.begin((tx) => readPage(tx, botId, now));
    more ||= count > 0;
  }
  return { more };
}

type Page = { deliveryId: number; body: Uint8Array | null }[];

async function readPage(tx: Transaction, botId: string, now: number): Promise<number> {
  await lockBot(tx, botId);
  const [channel] = await tx<{ accountId: string | null }[]>`
    select account_id as "accountId" from channels where bot_id = ${botId} and platform = 'whatsapp'`;
  const page = await selectPage(tx, botId, now);
  const last = page.at(-1)?.deliveryId;
  if (channel === undefined || last === undefined) return 0;
  const names = page.flatMap(({ body }): ReportedName[] =>
    (body === null ? [] : readProfileNames(body, channel.accountId)).map(({ contact, ...name }) => ({
      platform: 'whatsapp',
      platformContactId: contact,
      ...name,
    })),
  );
  await writeNames(tx, botId, names, { now });
  await tx`
    insert into profile_positions (bot_id, delivery_id) values (${botId}, ${last})
    on conflict (bot_id) do update set delivery_id = excluded.delivery_id`;
  return page.length;
}

/** The next deliveries, in order, each with its body if it may hold a name. */
async function selectPage(tx: Transaction, botId: string, now: number): Promise<Page> {
  const [bounds] = await tx<{ from: number; pending: number | null }[]>`
    select coalesce((select delivery_id from profile_positions where bot_id = ${botId}), 0) as from,
      (select min(delivery_ids[1]) from pending_bundles where bot_id = ${botId}) as pending`;
  const body = tx`case when platform = 'whatsapp' and position('"profile"'::bytea in body) > 0 then body end as body`;
  return readSettledPage(tx, botId, body, {
    after: bounds?.from ?? 0,
    before: bounds?.pending ?? null,
    ...{ now, countMax: pageDeliveries, bytesMax: pageBytesMax },
  });
}
