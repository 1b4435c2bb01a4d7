/**
 * An export: all rows of one kind that a bot has, as text, piece by piece to whoever writes it. Everything in it is read from one
 * moment of the bot, whatever comes in while it runs, and no more than a batch or two is in memory.
 */
import { findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { addDays, dayStart, firstDay, isDay, lastDay } from '../time.ts';
import { contacts } from './contacts.ts';
import { conversations } from './conversations.ts';
import { events } from './events.ts';
import { figures, messages } from './figures.ts';
import { type ExportFormat, writerOf } from './format.ts';
import { points } from './points.ts';
import type { Scope, Table } from './table.ts';

export const exportNames = ['contacts', 'events', 'conversations', 'messages', 'points', 'figures'] as const;
export type ExportName = (typeof exportNames)[number];

export const tables: Readonly<Record<ExportName, Table>> = {
  contacts,
  events,
  conversations,
  messages,
  points,
  figures,
};

export type AskedExport = {
  botId: string;
  what: ExportName;
  format: ExportFormat;
  /** Begin a CSV file with a byte order mark. */
  bom: boolean;
  /** Days of the bot's zone, both included; left out: from the first, up to the last there is. */
  from: string | undefined;
  to: string | undefined;
};

export type ExportRun = {
  /** ms: tags and points are those of this moment. */
  now: number;
  /** Ends it: what PostgreSQL is doing is cancelled, and the signal's reason is thrown. */
  signal: AbortSignal;
  /** Takes the next piece; the export goes on when it is done with it. The first comes when the first rows are there. */
  write(text: string): Promise<void>;
  /** Is told how many rows are written, of how many. Counting them takes a moment; left out: nothing is counted. */
  told?: (rows: number, all: number) => void;
};

/**
 * Runs an export; gives the number of its rows. Only when it resolves everything has been written: a connection may be lost, or
 * a reader go away, at any moment before. Throws BOT_NOT_FOUND, INPUT_INVALID (days).
 */
export async function writeExport(
  sql: Sql,
  { botId, what, format, bom, ...days }: AskedExport,
  { now, signal: stop, write, told }: ExportRun,
): Promise<{ rows: number }> {
  const table = tables[what];
  const { head, lines } = writerOf(format, table.columns, { bom });
  // Where one part fails the others end too: a fetch under way, or the work in a transaction whose connection is lost.
  const failed = new AbortController();
  const signal = AbortSignal.any([stop, failed.signal]);
  const together = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  let rows = 0;
  const run = async (tx: Transaction): Promise<void> => {
    const scope = toScope(await findBot(tx, botId), days, now);
    const all = told ? await table.count(tx, scope) : 0;
    for await (const batch of table.read(tx, scope, { sql, signal })) {
      signal.throwIfAborted();
      await write((rows === 0 ? head : '') + lines(batch));
      rows += batch.length;
      told?.(rows, all);
    }
    if (rows === 0) await write(head);
  };
  const isolation = 'isolation level repeatable read read only';
  await together(() => sql.begin(isolation, (tx) => together(() => run(tx))));
  return { rows };
}

function toScope(bot: Scope['bot'], days: Pick<AskedExport, 'from' | 'to'>, now: number): Scope {
  const { from = null, to = null } = days;
  for (const [name, day] of Object.entries({ from, to })) {
    if (day !== null && !isDay(day)) {
      throw new Refusal(
        'INPUT_INVALID',
        `${name} must be a day from ${firstDay} to ${lastDay}, not ${JSON.stringify(day)}.`,
      );
    }
  }
  if (from !== null && to !== null && from > to) {
    throw new Refusal('INPUT_INVALID', `from must not lie after to, ${to}.`);
  }
  return {
    bot,
    from,
    to,
    since: from === null ? null : dayStart(from, bot.timeZone),
    until: to === null ? null : dayStart(addDays(to, 1), bot.timeZone),
    now,
  };
}
