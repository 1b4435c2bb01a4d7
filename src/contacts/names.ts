/**
 * Names of contacts, read from the deliveries that are folded already, in a walk of its own: no figure needs them, so no fold
 * has to wait for them.
 *
 * The walk goes by the deliveries' numbers and keeps how far it has come. A number is given before its commit, so a smaller one
 * may turn up behind a larger one: the walk therefore stays some seconds behind, and behind every delivery that is pending.
 */
import { lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { readProfileNames } from '../platforms/whatsapp-names.ts';
import { secondMs } from '../time.ts';
import { keepNames, type ToldName } from './profiles.ts';

const pageDeliveries = 500;
const pageBytesMax = 8 * 1024 * 1024;
/** No commit takes as long: connections are given up much sooner. */
const settledMs = 30 * secondMs;

/**
 * Reads the names in the next deliveries of every bot that has a WhatsApp channel, and keeps those told last. `more`: there may
 * be more to read at once. Safe to repeat, and from several processes.
 */
export async function readNames(sql: Sql, { now }: { now: number }): Promise<{ more: boolean }> {
  const bots = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels
    where platform = 'whatsapp' and exists (
      select from deliveries where deliveries.bot_id = channels.bot_id and delivery_id > coalesce((
        select delivery_id from profile_positions where profile_positions.bot_id = channels.bot_id), 0)
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
  const names = page.flatMap(({ body }): ToldName[] =>
    (body === null ? [] : readProfileNames(body, channel.accountId)).map(({ contact, ...told }) => ({
      platform: 'whatsapp',
      platformContactId: contact,
      ...told,
    })),
  );
  await keepNames(tx, botId, names, { now });
  await tx`
    insert into profile_positions (bot_id, delivery_id) values (${botId}, ${last})
    on conflict (bot_id) do update set delivery_id = excluded.delivery_id`;
  return page.length;
}

/** The next deliveries, in order, each with its body where a name may stand in it. */
async function selectPage(tx: Transaction, botId: string, now: number): Promise<Page> {
  const [bounds] = await tx<{ from: number; pending: number | null }[]>`
    select coalesce((select delivery_id from profile_positions where bot_id = ${botId}), 0) as from,
      (select min(delivery_ids[1]) from pending_bundles where bot_id = ${botId}) as pending`;
  const page = await tx<(Page[number] & { receivedAt: Date })[]>`
    select delivery_id as "deliveryId", received_at as "receivedAt",
      case when platform = 'whatsapp' and position('"profile"'::bytea in body) > 0 then body end as body
    from (
      select *, sum(octet_length(body)) over (order by delivery_id) - octet_length(body) as bytes_before
      from (
        select * from deliveries
        where bot_id = ${botId} and delivery_id > ${bounds?.from ?? 0}
          and (${bounds?.pending ?? null}::bigint is null or delivery_id < ${bounds?.pending ?? null}::bigint)
        order by delivery_id limit ${pageDeliveries}
      ) oldest
    ) sized
    where bytes_before < ${pageBytesMax} order by delivery_id`;
  const unsettled = page.findIndex(({ receivedAt }) => receivedAt.getTime() >= now - settledMs);
  return unsettled === -1 ? page : page.slice(0, unsettled);
}
