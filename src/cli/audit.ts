/**
 * `shoal audit`: who changed what.
 */
import { type AuditEntry, listEntries } from '../audit/entries.ts';
import { renderLine, renderList, type ShoalCommand, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';

const pageSize = 1_000;

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const audit = program.add('audit', 'The audit log: who changed what, when and from where.');
  audit
    .add('list', 'List the latest changes, newest first.')
    .option('--bot <bot>', 'only changes of this bot')
    .option('--limit <number>', 'how many', wholeNumberIn(1, pageSize), 50)
    .answer(({ bot, limit }: { bot?: string; limit: number }) => async (sql) => {
      const entries = await listEntries(
        sql,
        { botIds: bot === undefined ? null : [bot] },
        { beforeId: null, limit },
      );
      return { json: { entries }, text: renderList(entries, renderEntry) };
    });
  audit
    .add('export', 'Print all changes, newest first, one JSON object per line.')
    .option('--bot <bot>', 'only changes of this bot')
    .print(async ({ bot }: { bot?: string }) =>
      context.withDatabase(async (sql) => {
        for (let beforeId: number | null = null, isLast = false; !isLast; ) {
          const filter = { botIds: bot === undefined ? null : [bot] };
          const entries: AuditEntry[] = await listEntries(sql, filter, { beforeId, limit: pageSize });
          for (const entry of entries) context.out(JSON.stringify(entry));
          isLast = entries.length < pageSize;
          beforeId = entries.at(-1)?.entryId ?? null;
        }
        return null;
      }),
    );
}

function renderEntry({ happenedAt, actor, address, operation, ...entry }: AuditEntry): string {
  const { botId, subjectKind, subjectId, before, after } = entry;
  return renderLine(
    happenedAt.toISOString(),
    `${actor.kind} ${actor.name}`,
    address,
    operation,
    botId,
    subjectKind && `${subjectKind} ${subjectId}`,
    before && JSON.stringify(before),
    after && `→ ${JSON.stringify(after)}`,
  );
}
