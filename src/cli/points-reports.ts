/**
 * What `shoal points` shows of contacts: balance, history, and what expires when.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { findReference, readReference } from '../imports/contact-references.ts';
import { instantHelp, readInstant } from '../imports/values.ts';
import { availablePoints, expiringByDay, expiringOf, pointsAt } from '../points/balances.ts';
import { type HistoryEntry, history } from '../points/history.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';

const historyMax = 1_000;
const expiringDays = 30;
const dayMs = 86_400_000;

/** Adds `balance`. */
export function addBalance(points: Command, context: CommandContext): void {
  contactCommand(points, 'balance', 'The points that a contact can spend, now or at another moment.')
    .option('--at <time>', `at that moment; ${instantHelp}. Now, when left out`)
    .action(
      async (
        botId: string,
        platform: string,
        contact: string,
        { at: typed, json }: { at?: string; json?: boolean },
      ) => {
        const reference = readReference(platform, contact);
        const read = await context.withDatabase((sql) =>
          sql.begin(async (tx) => {
            const { timeZone } = await findBot(tx, botId);
            const contactId = await findReference(tx, botId, reference, null);
            const at = typed === undefined ? context.clock() : readInstant(typed, timeZone);
            return { contactId, at, points: await pointsAt(tx, { botId, contactId, at }) };
          }),
        );
        context.out(
          json
            ? JSON.stringify({ botId, ...read, at: isoOf(read.at) })
            : `${read.points} points at ${isoOf(read.at)}.`,
        );
      },
    );
}

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
        const { contactId, available, entries, next } = await context.withDatabase((sql) =>
          sql.begin(async (tx) => {
            const contactId = await findReference(tx, botId, reference, null);
            const balances = await availablePoints(tx, {
              botId,
              contactIds: [contactId],
              now: context.clock(),
            });
            const page = await history(tx, { botId, contactId, limit, before: before ?? null });
            return { contactId, available: balances.get(contactId) ?? 0, ...page };
          }),
        );
        const more = next === null ? [] : [`More with --before ${next}.`];
        context.out(
          json
            ? JSON.stringify({ botId, contactId, available, entries: entries.map(toJson), next })
            : [`${available} points available.`, ...entries.map(toText), ...more].join('\n'),
        );
      },
    );
}

function toJson({ contactId: _, leads: _leads, bulk: _bulk, ...entry }: HistoryEntry) {
  const { expiresAt, createdAt, parts, pair, ...rest } = entry;
  return {
    ...rest,
    expiresAt: isoOrNull(expiresAt),
    parts: parts?.map((part) => ({ ...part, expiresAt: isoOrNull(part.expiresAt) })) ?? null,
    counterpartId: pair?.contactId ?? null,
    createdAt: isoOf(createdAt),
  };
}

function toText(entry: HistoryEntry): string {
  const {
    entryId,
    createdAt,
    kind,
    amount,
    balanceAfter,
    expiresAt,
    key,
    pair,
    reason,
    reverses,
    reversedBy,
  } = entry;
  const told = [
    expiresAt === null ? '' : `${kind === 'expire' ? 'since' : 'until'}  ${isoOf(expiresAt)}`,
    pair === null ? '' : `${amount > 0 ? 'from' : 'to'} ${pair.contactId}`,
    reverses === null ? '' : `of ${reverses}`,
    reversedBy === null ? '' : `reversed by ${reversedBy}`,
    reason ?? '',
    key ?? '',
  ].filter((text) => text !== '');
  const sum = `${amount > 0 ? '+' : ''}${amount} = ${balanceAfter}`;
  return [entryId, isoOf(createdAt), kind, sum, ...told].join('  ');
}

type ExpiringOptions = { from?: string; to?: string; json?: boolean };

/** Adds `expiring`. */
export function addExpiring(points: Command, context: CommandContext): void {
  points
    .command('expiring')
    .description(
      "What expires when: of one contact by the instant, or of the whole bot by day in the bot's zone.",
    )
    .argument('<bot>', 'bot id')
    .argument('[platform]', "the contact's platform")
    .argument('[contact]', 'its id on the platform, or its encoded client id')
    .option('--from <time>', `from then on; ${instantHelp}. Now, when left out`)
    .option('--to <time>', `before then; ${expiringDays} days after the start, when left out`)
    .option('--json', 'print one JSON object')
    .action(
      async (
        botId: string,
        platform: string | undefined,
        contact: string | undefined,
        options: ExpiringOptions,
      ) => {
        const reference = platform === undefined ? null : readReference(platform, contact ?? '');
        await context.withDatabase((sql) =>
          sql.begin(async (tx) => {
            const { timeZone } = await findBot(tx, botId);
            const range = { botId, now: context.clock(), ...readRange(options, timeZone, context.clock()) };
            if (reference === null) return tellDays(context, tx, { ...range, zone: timeZone }, options);
            const contactId = await findReference(tx, botId, reference, null);
            await tellLots(context, tx, { ...range, contactId }, options);
          }),
        );
      },
    );
}

function readRange({ from, to }: ExpiringOptions, zone: string, now: number): { from: number; to: number } {
  const start = from === undefined ? now : readInstant(from, zone);
  const end = to === undefined ? start + expiringDays * dayMs : readInstant(to, zone);
  if (end > start) return { from: start, to: end };
  throw new Refusal('INPUT_INVALID', `--to must be after --from, not ${isoOf(end)} after ${isoOf(start)}.`);
}

async function tellLots(
  { out }: CommandContext,
  tx: Transaction,
  range: Parameters<typeof expiringOf>[1],
  { json }: ExpiringOptions,
): Promise<void> {
  const { botId, contactId } = range;
  const lots = await expiringOf(tx, range);
  const told = lots.map(({ amount, expiresAt }) => ({ expiresAt: isoOf(expiresAt), points: amount }));
  const lines = told.map(({ expiresAt, points }) => `${expiresAt}  ${points}`);
  out(
    json
      ? JSON.stringify({ botId, contactId, ...rangeOf(range), expiring: told })
      : [`${sumOf(told)} points expire ${windowOf(range)}.`, ...lines].join('\n'),
  );
}

async function tellDays(
  { out }: CommandContext,
  tx: Transaction,
  range: Parameters<typeof expiringByDay>[1],
  { json }: ExpiringOptions,
): Promise<void> {
  const days = await expiringByDay(tx, range);
  const lines = days.map(({ day, points, contacts }) => `${day}  ${points} of ${contacts} contacts`);
  out(
    json
      ? JSON.stringify({ botId: range.botId, timeZone: range.zone, ...rangeOf(range), expiring: days })
      : [`${sumOf(days)} points expire ${windowOf(range)}.`, ...lines].join('\n'),
  );
}

function windowOf({ from, to }: { from: number; to: number }): string {
  return `from ${isoOf(from)} to ${isoOf(to)}`;
}

function rangeOf({ from, to }: { from: number; to: number }) {
  return { from: isoOf(from), to: isoOf(to) };
}

function sumOf(told: readonly { points: number }[]): number {
  return told.reduce((sum, { points }) => sum + points, 0);
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

function isoOrNull(at: number | null): string | null {
  return at === null ? null : isoOf(at);
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
