/**
 * Operations that read figures: totals, series, the overview, messages by hour of the week, and the reconciliation with LINE.
 */
import { batchLoaded } from '../../http/batch.ts';
import { coalesced } from '../../http/coalesce.ts';
import { gapReasons, reconcile } from '../../line/reconciliation.ts';
import { metaGapReasons, reconcilePlatform } from '../../meta/reconciliation.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import { readWeekHours } from '../../reports/hours.ts';
import { readOverview } from '../../reports/overview.ts';
import { averageMessages, averageSeconds, tagCoverRate } from '../../reports/rates.ts';
import { isStored, readSeries, type SeriesRequest } from '../../reports/series.ts';
import { type BotFigures, readFigures, readFirstDay } from '../../reports/totals.ts';
import { daysOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';

/** Two series at a time are counted from events. Other calls run at the same time. */
const countsAtOnceMax = 2;
const hourDaysMax = 3_700;

export function figureOperations({ sql, clock }: Sources) {
  const figuresOf = coalesced((botId) => readFigures(sql, botId, clock()));
  const read = ({ botId, query }: { botId: string; query: SeriesRequest }) =>
    readSeries(sql, botId, query, { now: clock() });
  const readInTurn = batchLoaded<Parameters<typeof read>[0], Awaited<ReturnType<typeof read>>>(
    (keys) => Promise.all(keys.map(read)),
    { runsMax: countsAtOnceMax, countMax: 1 },
  );
  return {
    async getFigures({ bot }) {
      const { botId } = bot;
      const figures = await figuresOf(botId);
      if (figures === null) throw new Error(`the bot ${botId} is gone`);
      return { botId, firstDay: await readFirstDay(sql, bot), ...toTotals(figures) };
    },
    async getSeries({ bot, query }) {
      const { botId } = bot;
      return { botId, ...(await (isStored(bot, query) ? read : readInTurn)({ botId, query })) };
    },
    async getOverview({ bot: { botId }, query }) {
      return { botId, ...(await readOverview(sql, botId, { ...query, now: clock() })) };
    },
    async getMessageHours(call) {
      const { bot } = call;
      const { platforms = platformNames } = call.query;
      const days = daysOf(call, { zone: bot.timeZone, now: clock(), daysMax: hourDaysMax });
      const hours = await readWeekHours(sql, bot, { ...days, platforms });
      return { botId: bot.botId, ...days, hours };
    },
    async getReconciliation({ bot: { botId }, query: { from, to } }) {
      const days = await reconcile(sql, botId, { from, to, now: clock() });
      return { botId, days, reasons: gapReasons };
    },
    async getPlatformReconciliation({
      bot: { botId },
      params: { metaPlatform: platform },
      query: { from, to },
    }) {
      const answer = await reconcilePlatform(sql, botId, { platform, from, to, now: clock() });
      return { botId, platform, ...answer, reasons: metaGapReasons };
    },
  } satisfies Partial<Operations>;
}

function toTotals({ platforms, quota, lineSends, demographic }: BotFigures) {
  const sum = (figure: 'followers' | 'blocks' | 'messages') =>
    platformNames.reduce((sum, name) => sum + platforms[name][figure], 0);
  const withRates = (name: PlatformName) => {
    const figures = platforms[name];
    return {
      ...figures,
      tagCoverRate: tagCoverRate(figures),
      averageConversationMessages: averageMessages(figures),
      averageConversationSeconds: averageSeconds(figures),
    };
  };
  return {
    all: { followers: sum('followers'), blocks: sum('blocks'), messages: sum('messages') },
    platforms: {
      line: withRates('line'),
      facebook: withRates('facebook'),
      instagram: withRates('instagram'),
      liveChat: withRates('liveChat'),
      whatsapp: withRates('whatsapp'),
    },
    line: {
      quota: quota?.value ?? null,
      quotaConsumption: quota?.totalUsage ?? null,
      sendsThisMonth: lineSends,
      demographic: demographic ?? null,
    },
  };
}
