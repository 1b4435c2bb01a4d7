/**
 * `shoal points`: changes of the ledger. The reads are in points-reports.ts.
 */
import type { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { type Creation, findReference, readReference } from '../imports/contact-references.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant } from '../imports/values.ts';
import type { PointChange } from '../points/change.ts';
import { pointsTransaction, writePoint } from '../points/ledger.ts';
import { newId } from '../random.ts';
import type { CommandContext } from './context.ts';
import { type Answer, botCommand, contactCommand } from './data-command.ts';
import { type FileOptions, importPoints } from './import-file.ts';
import { addAudit } from './points-audit.ts';
import { addBalance, addExpiring, addHistory } from './points-reports.ts';

const keyHelp = 'idempotency key: the same key changes nothing a second time (default: a random one)';
const expiresAtHelp = `when the points expire; ${instantHelp} (default: never)`;
const amountHelp = 'whole number from 1';
const randomKeyLength = 22;

type ContactArguments = [botId: string, platform: string, contact: string];
type WriteOptions = { key?: string; createContacts?: boolean };
type ExpiryOptions = WriteOptions & { expiresAt?: string };
type Change<Kind> = Omit<Extract<PointChange, { kind: Kind }>, 'contactId' | 'key'>;
type AnyChange = { [Kind in PointChange['kind']]: Change<Kind> }[PointChange['kind']];

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const points = program
    .command('points')
    .description(
      'Points of contacts: earn, spend, transfer, adjust, reverse, clear, import; balance, history, expiring, audit.',
    );
  addEarn(points, context);
  addSpend(points, context);
  addTransfer(points, context);
  addAdjust(points, context);
  addReverse(points, context);
  addClear(points, context);
  addImport(points, context);
  addBalance(points, context);
  addHistory(points, context);
  addExpiring(points, context);
  addAudit(points, context);
}

function addEarn(points: Command, context: CommandContext): void {
  contactCommand(points, context, 'earn', 'Add points to a contact.')
    .argument('<amount>', amountHelp)
    .option('--expires-at <time>', expiresAtHelp)
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .answer((...[botId, platform, contact, amount, options]: [...ContactArguments, string, ExpiryOptions]) =>
      write(context, [botId, platform, contact], options, (_tx, zone) => ({
        kind: 'earn',
        amount: readAmount(amount),
        expiresAt: readExpiry(options, zone),
      })),
    );
}

function addSpend(points: Command, context: CommandContext): void {
  contactCommand(points, context, 'spend', 'Take points from a contact, earliest expiry first.')
    .argument('<amount>', amountHelp)
    .option('--key <key>', keyHelp)
    .answer((...[botId, platform, contact, amount, options]: [...ContactArguments, string, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({
        kind: 'spend',
        amount: readAmount(amount),
      })),
    );
}

function addTransfer(points: Command, context: CommandContext): void {
  contactCommand(
    points,
    context,
    'transfer',
    'Transfer points to another contact of the bot, earliest expiry first. They keep their expiry time.',
  )
    .argument('<to>', 'the other contact: its id on the platform, or its encoded client id')
    .argument('<amount>', amountHelp)
    .option('--to-platform <platform>', "the other contact's platform (default: the same)")
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .answer(
      (
        ...[botId, platform, contact, to, amount, options]: [
          ...ContactArguments,
          string,
          string,
          WriteOptions & { toPlatform?: string },
        ]
      ) => {
        const other = readReference(options.toPlatform ?? platform, to);
        return write(context, [botId, platform, contact], options, async (tx, _zone, creation) => ({
          kind: 'transfer',
          amount: readAmount(amount),
          toContactId: await findReference(tx, botId, other, creation),
        }));
      },
    );
}

function addAdjust(points: Command, context: CommandContext): void {
  contactCommand(points, context, 'adjust', "Correct a contact's points, with a reason.")
    .argument('<amount>', 'whole number; a negative one takes points, earliest expiry first')
    .requiredOption('--reason <text>', 'reason, shown in the history')
    .option('--expires-at <time>', `added points only: ${expiresAtHelp}`)
    .option('--key <key>', keyHelp)
    .answer(
      (
        ...[botId, platform, contact, amount, options]: [
          ...ContactArguments,
          string,
          ExpiryOptions & { reason: string },
        ]
      ) =>
        write(context, [botId, platform, contact], options, (_tx, zone) => ({
          kind: 'adjust',
          amount: readAmount(amount),
          expiresAt: readExpiry(options, zone),
          reason: options.reason,
        })),
    );
}

function addReverse(points: Command, context: CommandContext): void {
  contactCommand(
    points,
    context,
    'reverse',
    'Undo an entry (both sides of a transfer), as far as its points have not expired. Once for each entry.',
  )
    .argument('<entry>', 'its number in the history')
    .option('--key <key>', keyHelp)
    .answer((...[botId, platform, contact, entryId, options]: [...ContactArguments, string, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({ kind: 'reverse', entryId })),
    );
}

function addClear(points: Command, context: CommandContext): void {
  contactCommand(points, context, 'clear', "Set a contact's points to 0.")
    .option('--key <key>', keyHelp)
    .answer((...[botId, platform, contact, options]: [...ContactArguments, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({ kind: 'clear' })),
    );
}

function write(
  { clock, random }: CommandContext,
  [botId, platform, contact]: ContactArguments,
  options: WriteOptions,
  toChange: (tx: Transaction, zone: string, creation: Creation | null) => AnyChange | Promise<AnyChange>,
): (sql: Sql) => Promise<Answer> {
  const reference = readReference(platform, contact);
  const key = options.key ?? newId(random, randomKeyLength);
  const now = clock();
  const creation = options.createContacts ? { now, random } : null;
  return async (sql) => {
    const { at, ...result } = await pointsTransaction(sql, async (tx) => {
      const { timeZone } = await findBot(tx, botId);
      const contactId = await findReference(tx, botId, reference, creation);
      const change = await toChange(tx, timeZone, creation);
      return writePoint(tx, botId, { ...change, contactId, key }, { now });
    });
    const repeated = result.repeated ? ' This key was used before; nothing changed.' : '';
    return {
      json: { botId, ...result, at: new Date(at).toISOString() },
      text: `${result.amount > 0 ? '+' : ''}${result.amount} points, ${result.available} available.${repeated}`,
    };
  };
}

function readExpiry({ expiresAt }: ExpiryOptions, zone: string): number | null {
  return expiresAt === undefined ? null : readInstant(expiresAt, zone);
}

function addImport(points: Command, context: CommandContext): void {
  botCommand(
    points,
    context,
    'import',
    'Write points from a file, completely or not at all. Columns: platform, contact, amount (positive earns, negative spends), ' +
      'and optionally expires_at and key. Without keys the same file changes nothing a second time. ' +
      `expires_at is ${instantHelp}.`,
  )
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON (.ndjson, .jsonl)')
    .option('--create-contacts', createContactsHelp)
    .answer(
      (botId: string, path: string, { createContacts = false }: Pick<FileOptions, 'createContacts'>) =>
        (sql) =>
          importPoints(context, sql, { botId, path, createContacts }),
    );
}
