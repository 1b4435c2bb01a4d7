/**
 * Reads and purges the audit log.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import type { JsonObject } from '../json.ts';
import { dayMs } from '../time.ts';
import type { Actor, Origin } from './scope.ts';

export type AuditEntry = {
  entryId: number;
  happenedAt: Date;
  origin: Origin;
  actor: Actor;
  /** Null: a command. */
  address: string | null;
  operation: string;
  botId: string | null;
  subjectKind: string | null;
  subjectId: string | null;
  subjectName: string | null;
  before: JsonObject | null;
  after: JsonObject | null;
};

/** Undefined members do not restrict. `botIds` null: all entries; otherwise, only those of these bots. `from`, `until` in ms. */
export type AuditFilter = {
  botIds: readonly string[] | null;
  from?: number | undefined;
  until?: number | undefined;
  actorId?: string | undefined;
  origin?: Origin | undefined;
  operation?: string | undefined;
  subjectKind?: string | undefined;
  subjectId?: string | undefined;
};

/** Entries before `beforeId` (null: from the newest), newest first. */
export async function listEntries(
  sql: Queryable,
  filter: AuditFilter,
  { beforeId, limit }: { beforeId: number | null; limit: number },
): Promise<AuditEntry[]> {
  const rows = await sql<(Omit<AuditEntry, 'actor'> & Record<'kind' | 'id' | 'name', string>)[]>`
    select entry_id as "entryId", happened_at as "happenedAt", origin, actor_kind as kind, actor_id as id, actor_name as name,
      address, operation, bot_id as "botId", subject_kind as "subjectKind", subject_id as "subjectId",
      subject_name as "subjectName", before, after
    from audit_entries
    where ${beforeId === null ? sql`true` : sql`entry_id < ${beforeId}`} ${conditions(sql, filter)}
    order by entry_id desc limit ${limit}`;
  return rows.map(({ kind, id, name, ...row }) => ({
    ...row,
    actor: { kind: kind as Actor['kind'], id, name },
  }));
}

const deletedAtOnce = 10_000;

/** Deletes entries older than `auditDays`, in bounded steps. Safe to repeat. */
export async function purgeAudit(
  sql: Queryable,
  { now, auditDays, isStopped }: { now: number; auditDays: number; isStopped: () => boolean },
): Promise<void> {
  for (let more = true; more && !isStopped(); ) {
    const { count } = await sql`
      delete from audit_entries where entry_id in (
        select entry_id from audit_entries where happened_at < ${new Date(now - auditDays * dayMs)}
        order by happened_at limit ${deletedAtOnce})`;
    more = count === deletedAtOnce;
  }
}

function conditions(sql: Queryable, { botIds, from, until, ...equal }: AuditFilter): Fragment {
  const { actorId, origin, operation, subjectKind, subjectId } = equal;
  const columns = {
    ...{ actor_id: actorId, origin, operation, subject_kind: subjectKind, subject_id: subjectId },
  };
  return Object.entries(columns).reduce(
    (all, [column, value]) => (value === undefined ? all : sql`${all} and ${sql(column)} = ${value}`),
    sql`${botIds === null ? sql`` : sql`and bot_id = any (${botIds as string[]}::text[])`}
      ${from === undefined ? sql`` : sql`and happened_at >= ${new Date(from)}`}
      ${until === undefined ? sql`` : sql`and happened_at < ${new Date(until)}`}`,
  );
}
