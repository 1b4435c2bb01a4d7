/**
 * What `shoal points` shows: the history of a contact, and the audit of all balances.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import { findReference, readReference } from '../imports/contact-references.ts';
import {
  type AuditDifference,
  auditPoints,
  availablePoints,
  type HistoryEntry,
  history,
} from '../points/balances.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';

const historyMax = 1_000;

/** Adds `history`. */
export function addHistory(points: Command, context: CommandContext): void {
  contactCommand(points, 'history', "A contact's entries, newest first.")
    .option('--limit <count>', `at most so many, up to ${historyMax}`, readLimit, 100)
    .option('--before <entry>', 'only those before this entry, for the next page', readEntryId)
    .action(
      async (
        botId: string,
        platform: string,
        contact: string,
        { limit, before, json }: { limit: number; before?: string; json?: boolean },
      ) => {
        const reference = readReference(platform, contact);
        const { contactId, available, entries } = await context.withDatabase((sql) =>
          sql.begin(async (tx) => {
            const contactId = await findReference(tx, botId, reference, null);
            const balances = await availablePoints(tx, {
              botId,
              contactIds: [contactId],
              now: context.clock(),
            });
            const entries = await history(tx, { botId, contactId, limit, before: before ?? null });
            return { contactId, available: balances.get(contactId) ?? 0, entries };
          }),
        );
        context.out(
          json
            ? JSON.stringify({ botId, contactId, available, entries: entries.map(toJson) })
            : [`${available} points available.`, ...entries.map(toText)].join('\n'),
        );
      },
    );
}

function toJson({ contactId: _, expiresAt, createdAt, ...entry }: HistoryEntry) {
  return { ...entry, expiresAt: expiresAt === null ? null : isoOf(expiresAt), createdAt: isoOf(createdAt) };
}

function toText({ entryId, createdAt, kind, amount, balanceAfter, expiresAt, key }: HistoryEntry): string {
  const expiry = expiresAt === null ? [] : [kind === 'expire' ? 'since' : 'until', isoOf(expiresAt)];
  const sum = `${amount > 0 ? '+' : ''}${amount} = ${balanceAfter}`;
  return [entryId, isoOf(createdAt), kind, sum, ...expiry, key ?? ''].join('  ').trimEnd();
}

/** Adds `audit`. */
export function addAudit(points: Command, context: CommandContext): void {
  points
    .command('audit')
    .description(
      'Prove that all balances are the sum of their entries and of what is left in their lots; exit 1 if not.',
    )
    .argument('<bot>', 'bot id')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { json }: { json?: boolean }) => {
      const differences = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return auditPoints(sql, botId);
      });
      const right = differences.length === 0;
      context.out(json ? JSON.stringify({ botId, right, differences }) : audited(differences));
      if (!right) process.exitCode = 1;
    });
}

function audited(differences: readonly AuditDifference[]): string {
  if (differences.length === 0) return 'Every balance is right.';
  const lines = differences.map(
    ({ contactId, balance, entries, lots, entriesOutOfLine, nextExpiryRight }) =>
      `${contactId}: balance ${balance}, entries ${entries}, lots ${lots}, entries out of line ${entriesOutOfLine}, ` +
      `next expiry ${nextExpiryRight ? 'right' : 'wrong'}`,
  );
  return [`${differences.length} accounts are not right:`, ...lines].join('\n');
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= historyMax) return limit;
  throw new InvalidArgumentError(`A whole number from 1 to ${historyMax} was expected.`);
}

function readEntryId(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError('The number of an entry was expected.');
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
