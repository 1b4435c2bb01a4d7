/**
 * Reads of `shoal points`: balance, history, expiring points, and the audit.
 */
import { InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import { Refusal } from '../errors.ts';
import { findReference, readReference } from '../imports/contact-references.ts';
import { instantHelp, readInstant } from '../imports/values.ts';
import { type AuditDifference, auditPoints } from '../points/audit.ts';
import { availablePoints, expiringByDay, expiringLots, pointsAt } from '../points/balances.ts';
import { type HistoryEntry, history } from '../points/history.ts';
import { dayMs } from '../time.ts';
import { renderLine, type ShoalCommand, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';

const historyMax = 1_000;
const expiringDays = 30;

/** Adds `balance`. */
export function addBalance(points: ShoalCommand, context: CommandContext): void {
  points
    .addForContact('balance', 'The points that a contact can spend, now or at another time.')
    .option('--at <time>', `at this time; ${instantHelp} (default: now)`)
    .answer((botId: string, platform: string, contact: string, options: { at?: string }) => {
      const reference = readReference(platform, contact);
      return (sql) =>
        sql.begin(async (tx) => {
          const { timeZone } = await findBot(tx, botId);
          const contactId = await findReference(tx, botId, reference, null);
          const time = options.at === undefined ? context.clock() : readInstant(options.at, timeZone);
          const at = isoOf(time);
          const points = await pointsAt(tx, { botId, contactId, at: time });
          return { json: { botId, contactId, at, points }, text: `${points} points at ${at}.` };
        });
    });
}

type HistoryOptions = { limit: number; before?: string };

/** Adds `history`. */
export function addHistory(points: ShoalCommand, context: CommandContext): void {
  points
    .addForContact('history', "A contact's entries, newest first.")
    .option(
      '--limit <count>',
      `maximum number of entries, up to ${historyMax}`,
      wholeNumberIn(1, historyMax),
      100,
    )
    .option('--before <entry>', 'only entries before this one, for the next page', readEntryId)
    .answer((botId: string, platform: string, contact: string, { limit, before }: HistoryOptions) => {
      const reference = readReference(platform, contact);
      return (sql) =>
        sql.begin(async (tx) => {
          const contactId = await findReference(tx, botId, reference, null);
          const now = context.clock();
          const balances = await availablePoints(tx, { botId, contactIds: [contactId], now });
          const available = balances.get(contactId) ?? 0;
          const { entries, next } = await history(tx, { botId, contactId, limit, before: before ?? null });
          const more = next === null ? [] : [`For more, use --before ${next}.`];
          return {
            json: { botId, contactId, available, entries: entries.map(toJson), next },
            text: [`${available} points available.`, ...entries.map(renderEntry), ...more].join('\n'),
          };
        });
    });
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

function renderEntry(entry: HistoryEntry): string {
  const { entryId, createdAt, kind, amount, balanceAfter, expiresAt, pair, reverses, reversedBy } = entry;
  return renderLine(
    entryId,
    isoOf(createdAt),
    kind,
    `${amount > 0 ? '+' : ''}${amount} = ${balanceAfter}`,
    expiresAt !== null && `${kind === 'expire' ? 'since' : 'until'}  ${isoOf(expiresAt)}`,
    pair && `${amount > 0 ? 'from' : 'to'} ${pair.contactId}`,
    reverses && `of ${reverses}`,
    reversedBy && `reversed by ${reversedBy}`,
    entry.reason,
    entry.key,
  );
}

type ExpiringOptions = { from?: string; to?: string };

/** Adds `expiring`. */
export function addExpiring(points: ShoalCommand, context: CommandContext): void {
  points
    .addForBot(
      'expiring',
      "Expiring points: of one contact by time, or of the whole bot by day in the bot's zone.",
    )
    .argument('[platform]', "the contact's platform")
    .argument('[contact]', 'its id on the platform, or its encoded client id')
    .option('--from <time>', `from this time; ${instantHelp} (default: now)`)
    .option('--to <time>', `before this time (default: ${expiringDays} days after the start)`)
    .answer((botId: string, platform?: string, contact?: string, options: ExpiringOptions = {}) => {
      const reference = platform === undefined ? null : readReference(platform, contact ?? '');
      return (sql) =>
        sql.begin(async (tx) => {
          const { timeZone } = await findBot(tx, botId);
          const contactId = reference && (await findReference(tx, botId, reference, null));
          const now = context.clock();
          const { from, to } = readRange(options, timeZone, now);
          const range = { botId, now, from, to };
          const expiring =
            contactId === null
              ? await expiringByDay(tx, { ...range, zone: timeZone })
              : (await expiringLots(tx, { ...range, contactId })).map(({ amount, expiresAt }) => ({
                  ...{ expiresAt: isoOf(expiresAt), points: amount },
                }));
          const sum = expiring.reduce((points, row) => points + row.points, 0);
          const lines = expiring.map((row) =>
            'day' in row
              ? `${row.day}  ${row.points} of ${row.contacts} contacts`
              : `${row.expiresAt}  ${row.points}`,
          );
          const subject = contactId === null ? { timeZone } : { contactId };
          const window = { from: isoOf(from), to: isoOf(to) };
          return {
            json: { botId, ...subject, ...window, expiring },
            text: [`${sum} points expire from ${window.from} to ${window.to}.`, ...lines].join('\n'),
          };
        });
    });
}

function readRange({ from, to }: ExpiringOptions, zone: string, now: number): { from: number; to: number } {
  const start = from === undefined ? now : readInstant(from, zone);
  const end = to === undefined ? start + expiringDays * dayMs : readInstant(to, zone);
  if (end > start) return { from: start, to: end };
  throw new Refusal('INPUT_INVALID', `--to must be after --from, not ${isoOf(end)} after ${isoOf(start)}.`);
}

/** Adds `audit`. */
export function addAudit(points: ShoalCommand): void {
  points
    .addForBot(
      'audit',
      'Check that each balance is the sum of its entries and of its lots, that every transfer has both sides, ' +
        'and that reversals undo existing entries. Exit code 1 if not.',
    )
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const differences = await auditPoints(sql, botId);
      const right = differences.length === 0;
      return { json: { botId, right, differences }, text: renderDifferences(differences), isFailure: !right };
    });
}

function renderDifferences(differences: readonly AuditDifference[]): string {
  if (differences.length === 0) return 'Every balance is correct.';
  const lines = differences.map(
    ({ contactId, balance, entries, lots, entriesOutOfLine, unpaired, unfounded, nextExpiryRight }) =>
      `${contactId}: balance ${balance}, entries ${entries}, lots ${lots}, entries with a wrong balance ${entriesOutOfLine}, ` +
      `transfers with one side ${unpaired}, reversals of missing entries ${unfounded}, ` +
      `next expiry ${nextExpiryRight ? 'correct' : 'wrong'}`,
  );
  return [`${differences.length} accounts are incorrect:`, ...lines].join('\n');
}

function readEntryId(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError('Must be the number of an entry.');
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : isoOf(at);
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
