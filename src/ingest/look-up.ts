/**
 * What is kept of the people whom events name: their contacts, and the runs of their conversations that the events can touch. One
 * statement for both, asked by ids before it is known which contacts they are.
 */

import { type ContactRow, type Id, People } from '../contacts/batch-contacts.ts';
import type { Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { Random } from '../random.ts';
import { groupRuns, type RunRow, runsNear } from '../rollups/conversation-rows.ts';
import type { Run } from '../rollups/conversations.ts';

/** A person's id, and from when to when (ms, both included) messages are told of; null: none are. */
export type AskedPerson = Id & { span: { from: number; to: number } | null };

type Row = ContactRow & (RunRow | { first_seconds: null });

/** The people behind the ids, and the runs that their messages can touch, by contact. */
export async function knownPeople(
  sql: Queryable,
  botId: string,
  asked: readonly AskedPerson[],
  { gapMs, random }: { gapMs: number; random: Random },
): Promise<[people: People, runs: Map<string, Run[]>]> {
  const rows = await selectPeople(sql, botId, asked, gapMs);
  // A run is found by each of the person's ids.
  const runs = new Map<string, RunRow>();
  for (const row of rows) {
    if (row.first_seconds !== null) runs.set(`${row.contact_id} ${row.first_seconds}`, row);
  }
  return [People.of(rows, { random }), groupRuns(runs.values())];
}

/** Adds the people behind further ids, without their runs. */
export async function addPeople(
  sql: Queryable,
  botId: string,
  people: People,
  ids: readonly Id[],
  { gapMs }: { gapMs: number },
): Promise<void> {
  const asked = ids.map((id) => ({ ...id, span: null }));
  people.add(await selectPeople(sql, botId, asked, gapMs));
}

async function selectPeople(
  sql: Queryable,
  botId: string,
  asked: readonly AskedPerson[],
  gapMs: number,
): Promise<Row[]> {
  if (asked.length === 0) return [];
  return sql<Row[]>`
    select asked.platform, asked.platform_contact_id, named.contact_id as row_id, span.contact_id,
      1000 * date_part('epoch', case when survivor.contact_id is null then named.followed_at else survivor.followed_at end)
        as followed_ms,
      case when survivor.contact_id is null then named.earlier_friend else survivor.earlier_friend end as earlier_friend,
      coalesce(survivor.blocked, named.blocked) as blocked,
      coalesce(survivor.ever_blocked, named.ever_blocked) as ever_blocked,
      first_seconds, last_seconds, inbound, outbound
    from ${rowTable(sql, 'asked', asked, {
      platform: ['text', ({ platform }) => platform],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      starts_at: ['timestamptz', ({ span }) => span?.from ?? null],
      ends_at: ['timestamptz', ({ span }) => (span ? span.to + gapMs : null)],
    })}
    -- Each limit keeps a look-up by key one, as in the store of events.
    cross join lateral (
      select * from contacts
      where contacts.bot_id = ${botId} and contacts.platform = asked.platform
        and contacts.platform_contact_id = asked.platform_contact_id limit 1
    ) named
    left join lateral (
      select * from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = named.merged_into limit 1
    ) survivor on true
    cross join lateral (
      select coalesce(named.merged_into, named.contact_id) as contact_id, starts_at, ends_at
    ) span
    left join lateral (${runsNear(sql, botId)}) run on true`;
}
