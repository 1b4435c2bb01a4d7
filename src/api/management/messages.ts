/**
 * Operations on messages: when in the week they are written.
 */
import { platformNames } from '../../platforms/platform.ts';
import { readWeekHours } from '../../reports/hours.ts';
import { daysOf, type ManagementOperations, type ManagementSources, namesOf } from './call.ts';

const daysMax = 3_700;

export function messageOperations({ sql, clock }: ManagementSources): ManagementOperations {
  return {
    async getMessageHours(call) {
      const { bot, query } = call;
      const days = daysOf(call, { zone: bot.timeZone, now: clock(), daysMax });
      const platforms = namesOf(query.platforms, platformNames) ?? platformNames;
      const hours = await readWeekHours(sql, bot, { ...days, platforms });
      return { botId: bot.botId, ...days, hours };
    },
  };
}
