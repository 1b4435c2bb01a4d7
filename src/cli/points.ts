/**
 * `shoal points`: the ledger from the command line: earn, spend, transfer, adjust, reverse, clear, import; reports beside it.
 */
import { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Transaction } from '../database/client.ts';
import { type Creation, findReference, readReference } from '../imports/contact-references.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant } from '../imports/values.ts';
import type { PointChange } from '../points/change.ts';
import { pointsTransaction, writePoint } from '../points/ledger.ts';
import { newId } from '../random.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';
import { addAudit } from './points-audit.ts';
import { importPoints } from './points-import.ts';
import { addBalance, addExpiring, addHistory } from './points-reports.ts';

const keyHelp = 'idempotency key: the same key changes nothing a second time; a random one when left out';
const expiresAtHelp = `from then on they are worth nothing; ${instantHelp}. Never, when left out`;
const amountHelp = 'whole number from 1';
const randomKeyLength = 22;

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const points = new Command('points').description(
    'Points of contacts: earn, spend, transfer, adjust, reverse, clear, import; balance, history, expiring, audit.',
  );
  program.addCommand(points);
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

type Named = [botId: string, platform: string, contact: string];
type WriteOptions = { key?: string; createContacts?: boolean; json?: boolean };
type ExpiryOptions = WriteOptions & { expiresAt?: string };
type Change<Kind> = Omit<Extract<PointChange, { kind: Kind }>, 'contactId' | 'key'>;
type AnyChange = { [Kind in PointChange['kind']]: Change<Kind> }[PointChange['kind']];

function addEarn(points: Command, context: CommandContext): void {
  contactCommand(points, 'earn', 'Add points to a contact.')
    .argument('<amount>', amountHelp)
    .option('--expires-at <time>', expiresAtHelp)
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .action((...[botId, platform, contact, amount, options]: [...Named, string, ExpiryOptions]) =>
      write(context, [botId, platform, contact], options, (_tx, zone) => ({
        kind: 'earn',
        amount: readAmount(amount),
        expiresAt: readExpiry(options, zone),
      })),
    );
}

function addSpend(points: Command, context: CommandContext): void {
  contactCommand(points, 'spend', 'Take points from a contact, those that expire first.')
    .argument('<amount>', amountHelp)
    .option('--key <key>', keyHelp)
    .action((...[botId, platform, contact, amount, options]: [...Named, string, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({
        kind: 'spend',
        amount: readAmount(amount),
      })),
    );
}

function addTransfer(points: Command, context: CommandContext): void {
  contactCommand(
    points,
    'transfer',
    'Hand points to another contact of the bot, those that expire first; they expire there when they would have here.',
  )
    .argument('<to>', 'the other contact: its id on the platform, or its encoded client id')
    .argument('<amount>', amountHelp)
    .option('--to-platform <platform>', "the other contact's platform, if it is another one")
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .action(
      (
        ...[botId, platform, contact, to, amount, options]: [
          ...Named,
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
  contactCommand(points, 'adjust', "Correct a contact's points, with the reason.")
    .argument('<amount>', 'whole number; below 0 takes points, those that expire first')
    .requiredOption('--reason <text>', 'why; it is shown in the history')
    .option('--expires-at <time>', `of points that are added: ${expiresAtHelp}`)
    .option('--key <key>', keyHelp)
    .action(
      (
        ...[botId, platform, contact, amount, options]: [...Named, string, ExpiryOptions & { reason: string }]
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
    'reverse',
    'Undo an entry, as far as its points have not expired; of a transfer both sides. Once for each entry.',
  )
    .argument('<entry>', 'its number in the history')
    .option('--key <key>', keyHelp)
    .action((...[botId, platform, contact, entryId, options]: [...Named, string, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({ kind: 'reverse', entryId })),
    );
}

function addClear(points: Command, context: CommandContext): void {
  contactCommand(points, 'clear', "Bring a contact's points to 0.")
    .option('--key <key>', keyHelp)
    .action((...[botId, platform, contact, options]: [...Named, WriteOptions]) =>
      write(context, [botId, platform, contact], options, () => ({ kind: 'clear' })),
    );
}

async function write(
  { withDatabase, clock, random, out }: CommandContext,
  [botId, platform, contact]: Named,
  options: WriteOptions,
  toChange: (tx: Transaction, zone: string, creation: Creation | null) => AnyChange | Promise<AnyChange>,
): Promise<void> {
  const reference = readReference(platform, contact);
  const key = options.key ?? newId(random, randomKeyLength);
  const now = clock();
  const creation = options.createContacts ? { now, random } : null;
  const { at, ...result } = await withDatabase((sql) =>
    pointsTransaction(sql, async (tx) => {
      const { timeZone } = await findBot(tx, botId);
      const contactId = await findReference(tx, botId, reference, creation);
      const change = await toChange(tx, timeZone, creation);
      return writePoint(tx, botId, { ...change, contactId, key }, { now });
    }),
  );
  const repeated = result.repeated ? ' This key was used before; nothing was changed now.' : '';
  const told = `${result.amount > 0 ? '+' : ''}${result.amount} points, ${result.available} available.${repeated}`;
  out(options.json ? JSON.stringify({ botId, ...result, at: new Date(at).toISOString() }) : told);
}

function readExpiry({ expiresAt }: ExpiryOptions, zone: string): number | null {
  return expiresAt === undefined ? null : readInstant(expiresAt, zone);
}

function addImport(points: Command, context: CommandContext): void {
  points
    .command('import')
    .description(
      'Write points from a file with the columns platform, contact, amount (above 0 earns, below 0 spends) and, if ' +
        'wanted, expires_at and key: all of it or nothing. Without keys the same file changes nothing a second time. ' +
        `expires_at is ${instantHelp}.`,
    )
    .argument('<bot>', 'bot id')
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON (.ndjson, .jsonl)')
    .option('--create-contacts', createContactsHelp)
    .option('--json', 'print one JSON object')
    .action((botId: string, path: string, { createContacts = false, json }: WriteOptions) =>
      importPoints(context, { botId, path, createContacts, json }),
    );
}
