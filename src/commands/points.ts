/**
 * `shoal points`: the ledger from the command line: earn, spend, import, history, audit.
 */
import { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import { findReference, readReference } from '../imports/contact-references.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant } from '../imports/values.ts';
import { pointsTransaction, writePoint } from '../points/ledger.ts';
import { newId } from '../random.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';
import { importPoints } from './points-import.ts';
import { addAudit, addHistory } from './points-reports.ts';

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

type Typed = [botId: string, platform: string, contact: string, amount: string];
type WriteOptions = { key?: string; expiresAt?: string; createContacts?: boolean; json?: boolean };
type Change = { kind: 'earn'; amount: number; expiresAt: number | null } | { kind: 'spend'; amount: number };

function addEarn(points: Command, context: CommandContext): void {
  contactCommand(points, 'earn', 'Add points to a contact.')
    .argument('<amount>', 'whole number from 1')
    .option(
      '--expires-at <time>',
      `from then on they are worth nothing; ${instantHelp}. Never, when left out`,
    )
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .action((...typed: [...Typed, WriteOptions]) =>
      write(context, typed, (amount, expiresAt) => ({ kind: 'earn', amount, expiresAt })),
    );
}

function addSpend(points: Command, context: CommandContext): void {
  contactCommand(points, 'spend', 'Take points from a contact, those that expire first.')
    .argument('<amount>', 'whole number from 1')
    .option('--key <key>', keyHelp)
    .action((...typed: [...Typed, WriteOptions]) =>
      write(context, typed, (amount) => ({ kind: 'spend', amount })),
    );
}

async function write(
  { withDatabase, clock, random, out }: CommandContext,
  [botId, platform, contact, amountText, options]: [...Typed, WriteOptions],
  toChange: (amount: number, expiresAt: number | null) => Change,
): Promise<void> {
  const reference = readReference(platform, contact);
  const amount = readAmount(amountText);
  const key = options.key ?? newId(random, randomKeyLength);
  const now = clock();
  const { at, ...result } = await withDatabase((sql) =>
    pointsTransaction(sql, async (tx) => {
      const { timeZone } = await findBot(tx, botId);
      const { expiresAt } = options;
      const change = toChange(amount, expiresAt === undefined ? null : readInstant(expiresAt, timeZone));
      const contactId = await findReference(
        tx,
        botId,
        reference,
        options.createContacts ? { now, random } : null,
      );
      return writePoint(tx, botId, { ...change, contactId, key }, { now });
    }),
  );
  const repeated = result.repeated ? ' This key was used before; nothing was changed now.' : '';
  const told = `${result.amount > 0 ? '+' : ''}${result.amount} points, ${result.available} available.${repeated}`;
  out(options.json ? JSON.stringify({ botId, ...result, at: new Date(at).toISOString() }) : told);
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
