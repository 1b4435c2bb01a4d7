/**
 * Operations on messages: their distribution over the hours of the week.
 */
import { platformNames } from '../../platforms/platform.ts';
import { readWeekHours } from '../../reports/hours.ts';
import { daysOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';

const daysMax = 3_700;

export function messageOperations({ sql, clock }: Sources) {
  return {
    async getMessageHours(call) {
      const { bot } = call;
      const { platforms = platformNames } = call.query;
      const days = daysOf(call, { zone: bot.timeZone, now: clock(), daysMax });
      const hours = await readWeekHours(sql, bot, { ...days, platforms });
      return { botId: bot.botId, ...days, hours };
    },
  } satisfies Partial<Operations>;
}
