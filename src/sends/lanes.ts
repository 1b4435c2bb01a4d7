/**
 * Lanes: of all processes, one at a time sends on a bot's channel. It holds a lease and renews it; after a kill the lease expires.
 *
 * No message depends on the lease alone: claimed positions belong to one process, whatever the clocks say (window.ts).
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { newId, type Random } from '../random.ts';
import { minuteMs } from '../time.ts';
import type { SendKey } from './sends.ts';
import type { Lease } from './window.ts';

export const leaseMs = minuteMs;

export type Lane = Pick<Lease, 'botId' | 'platform'>;

/** The lanes with a send that is due, those that wait longest first. */
export async function lanesWithDue(
  sql: Queryable,
  { now, limit }: { now: number; limit: number },
): Promise<Lane[]> {
  return sql<Lane[]>`
    select bot_id as "botId", platform from sends where ${isDue(sql, now)}
    group by bot_id, platform order by min(due_at) limit ${limit}`;
}

/** The lane's lease; null: another process holds it. */
export async function takeLane(
  sql: Queryable,
  { botId, platform }: Lane,
  { now, random }: { now: number; random: Random },
): Promise<Lease | null> {
  const leaseId = newId(random);
  const { count } = await sql`
    insert into send_lanes as lane (bot_id, platform, lease_id, leased_until)
    values (${botId}, ${platform}, ${leaseId}, ${new Date(now + leaseMs)})
    on conflict (bot_id, platform) do update set lease_id = excluded.lease_id, leased_until = excluded.leased_until
    where lane.leased_until <= ${new Date(now)}`;
  return count === 1 ? { botId, platform, leaseId } : null;
}

/** False: the lease was lost. */
export async function renewLane(
  sql: Queryable,
  { botId, platform, leaseId }: Lease,
  { now }: { now: number },
): Promise<boolean> {
  const { count } = await sql`
    update send_lanes set leased_until = ${new Date(now + leaseMs)}
    where bot_id = ${botId} and platform = ${platform} and lease_id = ${leaseId}`;
  return count === 1;
}

/** Safe to repeat. */
export async function releaseLane(sql: Queryable, { botId, platform, leaseId }: Lease): Promise<void> {
  await sql`
    delete from send_lanes where bot_id = ${botId} and platform = ${platform} and lease_id = ${leaseId}`;
}

/** The send of the lane that waits longest; null: none is due. */
export async function nextDue(
  sql: Queryable,
  { botId, platform }: Lane,
  { now }: { now: number },
): Promise<SendKey | null> {
  const [send] = await sql<SendKey[]>`
    select bot_id as "botId", send_id as "sendId" from sends
    where bot_id = ${botId} and platform = ${platform} and ${isDue(sql, now)}
    order by due_at, send_id limit 1`;
  return send ?? null;
}

/** For queries over `sends`. A stopped send is due while calls of a killed process have no result. */
function isDue(sql: Queryable, now: number): Fragment {
  return sql`(state = 'running' or (state = 'stopped' and settled < claimed)) and due_at <= ${new Date(now)}`;
}
