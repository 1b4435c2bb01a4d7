/**
 * The exports of figures by day of the bot's zone and platform, read through the series (figures.md, section 13). A day without
 * activity is a row of zeros. Platforms without a channel are omitted.
 */
import type { Transaction } from '../database/client.ts';
import { periodsOf } from '../periods.ts';
import { readLines, type SeriesFigure, selectConnected } from '../reports/series.ts';
import { addDays, countDays } from '../time.ts';
import type { Row } from './format.ts';
import type { Scope, Table } from './table.ts';

/** All figures that are stored by day. */
export const figures = tableOfFigures({
  followers: 'followers',
  blocks: 'blocks',
  inbound: 'inbound',
  outbound: 'outbound',
  messages: 'messages',
  conversations: 'conversations',
  conversation_messages: 'conversationMessages',
  conversation_ms: 'conversationMs',
});

/** Messages only. */
export const messages = tableOfFigures({ inbound: 'inbound', outbound: 'outbound', messages: 'messages' });

/** Days of one read: a year. */
const chunkDays = 366;

function tableOfFigures(figureOf: Readonly<Record<string, SeriesFigure>>): Table {
  return {
    columns: ['day', 'platform', ...Object.keys(figureOf)],
    isPersonal: false,
    async count(tx, scope) {
      const [platforms, range] = await sizeOf(tx, scope);
      return range === null ? 0 : platforms.length * countDays(range.from, range.to);
    },
    async *read(tx, scope, { writer, signal }) {
      const [platforms, range] = await sizeOf(tx, scope);
      if (range === null || platforms.length === 0) return;
      for (let from = range.from; countDays(from, range.to) > 0; from = addDays(from, chunkDays)) {
        signal.throwIfAborted();
        const to = [addDays(from, chunkDays - 1), range.to].sort()[0];
        const periods = periodsOf({ from, to: to ?? from, by: 'day' });
        const figures = Object.values(figureOf);
        const lines = await readLines(tx, scope.bot, {
          zone: scope.bot.timeZone,
          platforms,
          figures,
          periods,
        });
        const valuesOf = new Map(lines.map((line) => [`${line.platform} ${line.figure}`, line.values]));
        const rows = periods.flatMap(({ first: day }, index) =>
          platforms.map((platform): Row => {
            const values = Object.entries(figureOf).map(([column, figure]) => [
              column,
              valuesOf.get(`${platform} ${figure}`)?.[index] ?? null,
            ]);
            return { day, platform, ...Object.fromEntries(values) };
          }),
        );
        yield { rows: rows.length, text: writer.lines(rows) };
      }
    },
  };
}

function sizeOf(tx: Transaction, scope: Scope) {
  return Promise.all([selectConnected(tx, scope.bot.botId), rangeOf(tx, scope)]);
}

/** The requested days; by default from the first and to the last stored day. Null: no day. */
async function rangeOf(
  tx: Transaction,
  { bot, from, to }: Scope,
): Promise<{ from: string; to: string } | null> {
  const [stored] = await tx<{ first: string | null; last: string | null }[]>`
    select min(day)::text as first, max(day)::text as last from days
    where bot_id = ${bot.botId} and zone = ${bot.timeZone}`;
  const range = { from: from ?? stored?.first ?? to, to: to ?? stored?.last ?? from };
  if (range.from === null || range.to === null || range.from > range.to) return null;
  return { from: range.from, to: range.to };
}
