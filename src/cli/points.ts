/**
 * `shoal points`: changes of the ledger. The reads are in points-reports.ts.
 */
import { findBot } from '../bots/bots.ts';
import type { Transaction } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { type Creation, findReference, readReference } from '../imports/contact-references.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant } from '../imports/values.ts';
import type { PointChange } from '../points/change.ts';
import { writePoint } from '../points/ledger.ts';
import { newId } from '../random.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { type FileOptions, importFileOf } from './import.ts';
import { addAudit, addBalance, addExpiring, addHistory } from './points-reports.ts';

const keyHelp = 'idempotency key: the same key changes nothing a second time (default: a random one)';
const expiresAtHelp = `when the points expire; ${instantHelp} (default: never)`;
const amountHelp = 'whole number from 1';
const randomKeyLength = 22;
/** <bot>, <platform> and <contact>. */
const contactArguments = 3;

/** The options of all commands that write an entry. */
type WriteOptions = {
  expiresAt?: string;
  reason?: string;
  toPlatform?: string;
  key?: string;
  createContacts?: boolean;
};
type Change<Kind> = Omit<Extract<PointChange, { kind: Kind }>, 'contactId' | 'key'>;
type AnyChange = { [Kind in PointChange['kind']]: Change<Kind> }[PointChange['kind']];
type Writing = { tx: Transaction; botId: string; zone: string; creation: Creation | null };
/** Reads the arguments after the contact, and the options. The function that it returns runs in the transaction. */
type ReadChange<Values> = (
  values: Values,
  options: WriteOptions,
  platform: string,
) => (writing: Writing) => AnyChange | Promise<AnyChange>;

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const points = program.add(
    'points',
    'Points of contacts: earn, spend, transfer, adjust, reverse, clear, import; balance, history, expiring, audit.',
  );
  addEntries(points, context);
  addImport(points, context);
  addBalance(points, context);
  addHistory(points, context);
  addExpiring(points, context);
  addAudit(points);
}

/** Adds the commands that write an entry. */
function addEntries(points: ShoalCommand, context: CommandContext): void {
  const earn = points
    .addForContact('earn', 'Add points to a contact.')
    .argument('<amount>', amountHelp, readAmount)
    .option('--expires-at <time>', expiresAtHelp);
  answerWrite(earn, context, { mayCreate: true }, ([amount]: [number], { expiresAt }) => ({ zone }) => ({
    kind: 'earn',
    amount,
    expiresAt: readExpiry(expiresAt, zone),
  }));
  const spend = points
    .addForContact('spend', 'Take points from a contact, earliest expiry first.')
    .argument('<amount>', amountHelp, readAmount);
  answerWrite(spend, context, {}, ([amount]: [number]) => () => ({ kind: 'spend', amount }));
  const transfer = points
    .addForContact(
      'transfer',
      'Transfer points to another contact of the bot, earliest expiry first. They keep their expiry time.',
    )
    .argument('<to>', 'the other contact: its id on the platform, or its encoded client id')
    .argument('<amount>', amountHelp, readAmount)
    .option('--to-platform <platform>', "the other contact's platform (default: the same)");
  answerWrite(
    transfer,
    context,
    { mayCreate: true },
    ([to, amount]: [string, number], { toPlatform }, platform) => {
      const other = readReference(toPlatform ?? platform, to);
      return async ({ tx, botId, creation }) => ({
        kind: 'transfer',
        amount,
        toContactId: await findReference(tx, botId, other, creation),
      });
    },
  );
  const adjust = points
    .addForContact('adjust', "Correct a contact's points, with a reason.")
    .argument('<amount>', 'whole number; a negative one takes points, earliest expiry first', readAmount)
    .requiredOption('--reason <text>', 'reason, shown in the history')
    .option('--expires-at <time>', `added points only: ${expiresAtHelp}`);
  answerWrite(adjust, context, {}, ([amount]: [number], { expiresAt, reason = '' }) => ({ zone }) => ({
    kind: 'adjust',
    amount,
    expiresAt: readExpiry(expiresAt, zone),
    reason,
  }));
  const reverse = points
    .addForContact(
      'reverse',
      'Undo an entry (both sides of a transfer), as far as its points have not expired. Once for each entry.',
    )
    .argument('<entry>', 'its number in the history');
  answerWrite(reverse, context, {}, ([entryId]: [string]) => () => ({ kind: 'reverse', entryId }));
  const clear = points.addForContact('clear', "Set a contact's points to 0.");
  answerWrite(clear, context, {}, () => () => ({ kind: 'clear' }));
}

/** Adds the options of all writes, and sets the answer. `mayCreate`: an unknown contact can be added. */
function answerWrite<Values extends unknown[]>(
  command: ShoalCommand,
  { clock, random }: CommandContext,
  { mayCreate = false }: { mayCreate?: boolean },
  readChange: ReadChange<Values>,
): void {
  command.option('--key <key>', keyHelp);
  if (mayCreate) command.option('--create-contacts', createContactsHelp);
  command.answer((botId: string, platform: string, contact: string) => {
    const options = command.opts<WriteOptions>();
    const { key = newId(random, randomKeyLength), createContacts } = options;
    const reference = readReference(platform, contact);
    const toChange = readChange(command.processedArgs.slice(contactArguments) as Values, options, platform);
    const now = clock();
    const creation = createContacts ? { now, random } : null;
    return async (sql) => {
      const { at, ...result } = await repeatedTransaction(sql, async (tx) => {
        const { timeZone: zone } = await findBot(tx, botId);
        const contactId = await findReference(tx, botId, reference, creation);
        const change = await toChange({ tx, botId, zone, creation });
        return writePoint(tx, botId, { ...change, contactId, key }, { now });
      });
      const repeated = result.repeated ? ' This key was used before; nothing changed.' : '';
      return {
        json: { botId, ...result, at: new Date(at).toISOString() },
        text: `${result.amount > 0 ? '+' : ''}${result.amount} points, ${result.available} available.${repeated}`,
      };
    };
  });
}

function readExpiry(expiresAt: string | undefined, zone: string): number | null {
  return expiresAt === undefined ? null : readInstant(expiresAt, zone);
}

function addImport(points: ShoalCommand, context: CommandContext): void {
  points
    .addForBot(
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
          importFileOf(context, sql, 'points', { botId, path, createContacts }),
    );
}
