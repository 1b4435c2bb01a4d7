/**
 * An export: all rows of one kind of a bot as text, passed to a writer in pieces. It reads one snapshot of the database and holds
 * at most three batches in memory.
 */
import { findBot } from '../bots/bots.ts';
import type { ContactFilter } from '../contacts/filter.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { readDay } from '../periods.ts';
import type { RecipientState } from '../sends/recipients.ts';
import { addDays, dayStart } from '../time.ts';
import { catalogue } from './catalogue.ts';
import { contacts } from './contacts.ts';
import { conversations } from './conversations.ts';
import { events } from './events.ts';
import { figures, messages } from './figures.ts';
import { type ExportFormat, writerOf } from './format.ts';
import { gifts } from './gifts.ts';
import { platformFigures, templateFigures } from './platform-figures.ts';
import { points } from './points.ts';
import { recipients } from './recipients.ts';
import type { Scope } from './table.ts';

export const tables = {
  ...{ contacts, events, conversations, messages, points, catalogue, gifts, recipients, figures },
  'platform-figures': platformFigures,
  'template-figures': templateFigures,
};
export type ExportName = keyof typeof tables;
export const exportNames = Object.keys(tables) as ExportName[];

export type ExportRequest = {
  botId: string;
  what: ExportName;
  format: ExportFormat;
  /** Start a CSV file with a byte order mark. */
  bom: boolean;
  /** Days of the bot's zone, both included. Default: from the first to the last day with rows. */
  from: string | undefined;
  to: string | undefined;
  /** Of the recipients of sends: those of one, and in one state. Default: all. */
  sendId?: number;
  state?: RecipientState;
  /** Of the contacts: those that meet the filter, without deleted ones. Default: all. */
  contacts?: ContactFilter;
};

export type ExportRun = {
  /** ms: the time for which tags and points are read. */
  now: number;
  /** Aborting cancels the running statement; the export throws the signal's reason. */
  signal: AbortSignal;
  /** Writes the next piece; the export waits for it. The first call comes with the first rows. */
  write(text: string): Promise<void>;
  /** Receives the number of written rows and of all rows. Without it the export does not count the rows first. */
  progress?: (rows: number, all: number) => void;
};

/**
 * Runs an export and returns the number of rows. The file is complete only if the promise resolves. Throws BOT_NOT_FOUND,
 * INPUT_INVALID (days).
 */
export async function writeExport(
  sql: Sql,
  { botId, what, format, bom, ...limits }: ExportRequest,
  { now, signal: stop, write, progress }: ExportRun,
): Promise<{ rows: number }> {
  const table = tables[what];
  const writer = writerOf(format, table.columns, { bom });
  // The failure of one part ends the others: a running fetch, or the work of a transaction that lost its connection.
  const failure = new AbortController();
  const signal = AbortSignal.any([stop, failure.signal]);
  const orAbort = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  let rows = 0;
  const run = async (tx: Transaction): Promise<void> => {
    const scope = toScope(await findBot(tx, botId), limits, now);
    const all = progress ? await table.count(tx, scope) : 0;
    for await (const piece of table.read(tx, scope, { writer, sql, signal })) {
      signal.throwIfAborted();
      await write((rows === 0 ? writer.head : '') + piece.text);
      rows += piece.rows;
      progress?.(rows, all);
    }
    if (rows === 0) await write(writer.head);
  };
  const isolation = 'isolation level repeatable read read only';
  await orAbort(() => sql.begin(isolation, (tx) => orAbort(() => run(tx))));
  return { rows };
}

function toScope(
  bot: Scope['bot'],
  limits: Pick<ExportRequest, 'from' | 'to' | 'sendId' | 'state' | 'contacts'>,
  now: number,
): Scope {
  const { from = null, to = null, sendId = null, state = null, contacts = null } = limits;
  for (const [name, day] of Object.entries({ from, to })) {
    if (day !== null) readDay(name, day);
  }
  if (from !== null && to !== null && from > to) {
    throw new Refusal('INPUT_INVALID', `from must not be after to (${to}).`);
  }
  return {
    bot,
    from,
    to,
    since: from === null ? null : dayStart(from, bot.timeZone),
    until: to === null ? null : dayStart(addDays(to, 1), bot.timeZone),
    sendId,
    state,
    contacts,
    now,
  };
}
