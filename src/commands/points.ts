/**
 * `shoal points`: the ledger from the command line: earn, spend, import, history, audit.
 */
import { Command, InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/database.ts';
import {
  type AuditDifference,
  auditPoints,
  availablePoints,
  type HistoryEntry,
  history,
} from '../points/balances.ts';
import { earn, type PointResult, spend } from '../points/ledger.ts';
import { newId } from '../random.ts';
import { type ContactReference, findReference, readContact } from './contact-references.ts';
import type { CommandContext } from './context.ts';
import { importPoints } from './points-import.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant, readPlatform } from './values.ts';

const keyHelp = 'idempotency key: the same key changes nothing a second time; a random one when left out';
const randomKeyLength = 22;

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const points = new Command('points').description(
    'Points of contacts: earn, spend, import, history, audit.',
  );
  program.addCommand(points);
  addEarn(points, context);
  addSpend(points, context);
  addImport(points, context);
  addHistory(points, context);
  addAudit(points, context);
}

type WriteOptions = { key?: string; expiresAt?: string; createContacts?: boolean; json?: boolean };

function addEarn(points: Command, context: CommandContext): void {
  contactCommand(points, 'earn', 'Add points to a contact.')
    .argument('<amount>', 'whole number from 1')
    .option(
      '--expires-at <time>',
      `from then on they are worth nothing; ${instantHelp}. Never, when left out`,
    )
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .action(
      async (botId: string, platform: string, contact: string, amount: string, options: WriteOptions) => {
        const reference = readReference(platform, contact);
        await write(context, { botId, reference, options }, async (sql, named, now) => {
          const { timeZone } = await findBot(sql, botId);
          const expiresAt = options.expiresAt === undefined ? null : readInstant(options.expiresAt, timeZone);
          return earn(sql, { ...named, amount: readAmount(amount), expiresAt }, { now });
        });
      },
    );
}

function addSpend(points: Command, context: CommandContext): void {
  contactCommand(points, 'spend', 'Take points from a contact, those that expire first.')
    .argument('<amount>', 'whole number from 1')
    .option('--key <key>', keyHelp)
    .action(
      async (botId: string, platform: string, contact: string, amount: string, options: WriteOptions) => {
        const reference = readReference(platform, contact);
        await write(context, { botId, reference, options }, (sql, named, now) =>
          spend(sql, { ...named, amount: readAmount(amount) }, { now }),
        );
      },
    );
}

function contactCommand(points: Command, name: string, description: string): Command {
  return points
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .argument('<platform>', "the contact's platform")
    .argument('<contact>', 'its id on the platform, or its encoded client id')
    .option('--json', 'print one JSON object');
}

async function write(
  { withDatabase, clock, random, out }: CommandContext,
  { botId, reference, options }: { botId: string; reference: ContactReference; options: WriteOptions },
  run: (
    sql: Sql,
    named: { botId: string; contactId: string; key: string },
    now: number,
  ) => Promise<PointResult>,
): Promise<void> {
  const now = clock();
  const key = options.key ?? newId(random, randomKeyLength);
  const { at, ...result } = await withDatabase(async (sql) => {
    const creation = options.createContacts ? { now, random } : null;
    const contactId = await sql.begin((tx) => findReference(tx, botId, reference, creation));
    return run(sql, { botId, contactId, key }, now);
  });
  const repeated = result.repeated ? ' This key was used before; nothing was changed now.' : '';
  const told = `${result.amount > 0 ? '+' : ''}${result.amount} points, ${result.available} available.${repeated}`;
  out(options.json ? JSON.stringify({ botId, ...result, at: isoOf(at) }) : told);
}

function addImport(points: Command, context: CommandContext): void {
  points
    .command('import')
    .description(
      'Write points from a CSV file with the columns platform, contact, amount (above 0 earns, below 0 spends) and, if ' +
        'wanted, expires_at and key: all of it or nothing. Without keys the same file changes nothing a second time. ' +
        `expires_at is ${instantHelp}.`,
    )
    .argument('<bot>', 'bot id')
    .argument('<file>', 'CSV file in UTF-8 with a header line')
    .option('--create-contacts', createContactsHelp)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, path: string, { createContacts = false, json }: WriteOptions) => {
      const { lines, changed } = await importPoints(context, { botId, path, createContacts });
      const repeated = lines - changed;
      const told =
        changed === 0 && lines > 0
          ? `All ${lines} lines were written before; nothing was changed.`
          : `${changed} of ${lines} lines written, ${repeated} had been written before.`;
      context.out(json ? JSON.stringify({ botId, lines, written: changed, repeated }) : told);
    });
}

const historyMax = 1_000;

function addHistory(points: Command, context: CommandContext): void {
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

function addAudit(points: Command, context: CommandContext): void {
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

function readReference(platform: string, contact: string): ContactReference {
  return { platform: readPlatform(platform), contact: readContact(contact) };
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
