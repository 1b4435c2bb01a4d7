/**
 * Operations that read figures: totals, series, and the reconciliation with LINE. Definitions and queries are those of every
 * other caller (src/rollups).
 */

import { batched } from '../../http/batch.ts';
import { shared } from '../../http/share.ts';
import { textOf } from '../../json.ts';
import { gapReasons, reconcile } from '../../line/reconciliation.ts';
import { periodUnits } from '../../periods.ts';
import { platformNames } from '../../platforms/platform.ts';
import { readOverview } from '../../reports/overview.ts';
import { averageMessages, averageSeconds, tagCoverRate } from '../../reports/rates.ts';
import { type AskedSeries, isKept, readSeries, seriesFigures } from '../../reports/series.ts';
import { type BotFigures, readFigures } from '../../reports/totals.ts';
import { type ManagementOperations, type ManagementSources, namesOf } from './call.ts';

/** Series that have to be counted from events are counted two at a time; the other calls go on beside them. */
const countedAtOnceMax = 2;

export function figureOperations({ sql, clock }: ManagementSources): ManagementOperations {
  const figuresOf = shared((botId) => readFigures(sql, botId, clock()));
  const read = ({ botId, asked }: { botId: string; asked: AskedSeries }) =>
    readSeries(sql, botId, asked, { now: clock() });
  const readInTurn = batched<Parameters<typeof read>[0], Awaited<ReturnType<typeof read>>>(
    (keys) => Promise.all(keys.map(read)),
    { runsMax: countedAtOnceMax, countMax: 1 },
  );
  return {
    async getFigures({ bot: { botId } }) {
      const figures = await figuresOf(botId);
      if (figures === null) throw new Error(`the bot ${botId} is gone`);
      return { botId, ...toTotals(figures) };
    },
    async getSeries({ bot, query }) {
      const { botId } = bot;
      const asked: AskedSeries = {
        by: periodUnits.find((unit) => unit === query.by) ?? 'day',
        zone: textOf(query.zone),
        from: textOf(query.from),
        to: textOf(query.to),
        platforms: namesOf(query.platforms, platformNames),
        figures: namesOf(query.figures, seriesFigures),
      };
      const { lines, ...series } = await (isKept(bot, asked) ? read : readInTurn)({ botId, asked });
      return { botId, ...series, series: lines };
    },
    async getOverview({ bot: { botId }, query: { from, to } }) {
      return {
        botId,
        ...(await readOverview(sql, botId, { from: textOf(from), to: textOf(to), now: clock() })),
      };
    },
    async getReconciliation({ bot: { botId }, query: { from, to } }) {
      const days = await reconcile(sql, botId, { from: textOf(from), to: textOf(to), now: clock() });
      return { botId, days, reasons: gapReasons };
    },
  };
}

function toTotals({ platforms, quota, lineSends, demographic }: BotFigures) {
  const sum = (figure: 'followers' | 'blocks' | 'messages') =>
    platformNames.reduce((sum, name) => sum + platforms[name][figure], 0);
  const own = platformNames.map((name) => {
    const figures = platforms[name];
    const quotients = {
      tagCoverRate: tagCoverRate(figures),
      averageConversationMessages: averageMessages(figures),
      averageConversationSeconds: averageSeconds(figures),
    };
    return [name, { ...figures, ...quotients }];
  });
  return {
    all: { followers: sum('followers'), blocks: sum('blocks'), messages: sum('messages') },
    platforms: Object.fromEntries(own),
    line: {
      quota: quota?.value ?? null,
      quotaConsumption: quota?.totalUsage ?? null,
      sendsThisMonth: lineSends,
      demographic: demographic ?? null,
    },
  };
}
