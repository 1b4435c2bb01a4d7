/**
 * Operations on the audit log. A caller for some bots sees the entries of these bots only.
 */
import { Readable } from 'node:stream';
import { type AuditEntry, type AuditFilter, listEntries } from '../../audit/entries.ts';
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { Refusal } from '../../errors.ts';
import { type Row, writerOf } from '../../exports/format.ts';
import { msOf, withIsoDates } from '../iso.ts';
import type { Download, Operations, Query, Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

const exportedAtOnce = 1_000;
const types = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};
const columns = [
  ...[
    'entryId',
    'happenedAt',
    'origin',
    'actorKind',
    'actorId',
    'actorName',
    'address',
    'operation',
    'botId',
  ],
  ...['subjectKind', 'subjectId', 'subjectName', 'before', 'after'],
] as const;

export function auditLogOperations({ sql }: Pick<Sources, 'sql'>) {
  return {
    async listAuditEntries({ caller, query }) {
      const filter = filterOf(caller, query);
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ entryId: isSerial }),
        ({ after, limit }) => listEntries(sql, filter, { limit, beforeId: after?.entryId ?? null }),
      );
      return { entries: rows.map(toEntry), nextCursor };
    },
    async exportAuditEntries({ caller, query }): Promise<Download> {
      const { format } = query;
      const filter = filterOf(caller, query);
      const { head, lines } = writerOf(format, columns, { bom: false });
      async function* parts() {
        yield head;
        for (let beforeId: number | null = null, isLast = false; !isLast; ) {
          const entries: AuditEntry[] = await listEntries(sql, filter, { beforeId, limit: exportedAtOnce });
          isLast = entries.length < exportedAtOnce;
          beforeId = entries.at(-1)?.entryId ?? null;
          if (format === 'csv') yield lines(entries.map(toRow));
          else yield entries.map((entry) => `${JSON.stringify(toEntry(entry))}\n`).join('');
        }
      }
      return {
        type: types[format],
        fileName: `shoal-audit-log.${format}`,
        content: async () => Readable.from(parts()),
      };
    },
  } satisfies Partial<Operations>;
}

function filterOf(
  caller: Caller,
  {
    from,
    until,
    botId,
    actorId,
    origin,
    operation,
    subjectKind,
    subjectId,
  }: Omit<Query<'listAuditEntries'>, 'limit'>,
): AuditFilter {
  if (botId !== undefined && !mayUseBot(caller, botId))
    throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  const equal = { actorId, origin, operation, subjectKind, subjectId };
  return {
    ...equal,
    botIds: botId === undefined ? caller.botIds : [botId],
    from: msOf(from) ?? undefined,
    until: msOf(until) ?? undefined,
  };
}

function toEntry({ subjectKind, ...entry }: AuditEntry) {
  return withIsoDates({ ...entry, subjectKind: subjectKind as 'bot' | null });
}

function toRow({ happenedAt, actor, before, after, ...entry }: AuditEntry): Row {
  const textOf = (value: object | null) => (value === null ? null : JSON.stringify(value));
  return {
    ...entry,
    happenedAt: happenedAt.toISOString(),
    ...{ actorKind: actor.kind, actorId: actor.id, actorName: actor.name },
    ...{ before: textOf(before), after: textOf(after) },
  };
}
