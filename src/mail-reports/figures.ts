/**
 * The figures of one bot in a report, read by the code of the API, the dashboard and the exports.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { writeExport } from '../exports/export.ts';
import { type Overview, readOverview } from '../reports/overview.ts';
import { readSeries } from '../reports/series.ts';
import { addDays } from '../time.ts';
import type { Frequency } from './schedule.ts';

export type BotReport = {
  bot: Bot;
  overview: Overview;
  /** The days of the charts, which end with the period. */
  days: string[];
  /** Values for these days. */
  charts: { figure: 'messages' | 'newFollowers'; values: (number | null)[] }[];
  /** The figures by day of the period. */
  csv: Uint8Array;
};

type Period = { first: string; last: string };

/** How many days the charts have at least. */
const chartDays = { daily: 14, weekly: 28, monthly: 28 } as const;

/** Throws Refusal BOT_NOT_FOUND. */
export async function readBotReport(
  sql: Sql,
  botId: string,
  { first, last, frequency, now }: Period & { frequency: Frequency; now: number },
): Promise<BotReport> {
  const bot = await findBot(sql, botId);
  const chartStart = [addDays(last, 1 - chartDays[frequency]), first].sort()[0];
  const series = await readSeries(
    sql,
    botId,
    { by: 'day', from: chartStart, to: last, figures: ['messages', 'followers'] },
    { now },
  );
  const valuesOf = (figure: 'messages' | 'followers') =>
    series.series.find((line) => line.platform === 'all' && line.figure === figure)?.values ?? [];
  return {
    bot,
    overview: await readOverview(sql, botId, { from: first, to: last, now }),
    days: series.periods.map((period) => period.first),
    charts: [
      { figure: 'messages', values: valuesOf('messages') },
      { figure: 'newFollowers', values: valuesOf('followers') },
    ],
    csv: await readCsv(sql, botId, { first, last, now }),
  };
}

async function readCsv(
  sql: Sql,
  botId: string,
  { first, last, now }: Period & { now: number },
): Promise<Uint8Array> {
  const pieces: string[] = [];
  await writeExport(
    sql,
    { botId, what: 'figures', format: 'csv', bom: true, from: first, to: last },
    {
      now,
      signal: new AbortController().signal,
      async write(text) {
        pieces.push(text);
      },
    },
  );
  return Buffer.from(pieces.join(''));
}
