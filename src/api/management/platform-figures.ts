/**
 * Operations on the figures that Meta reports about a bot's channels and WhatsApp templates.
 */
import { readPlatformFigures, readTemplateReport } from '../../meta/reported-figures.ts';
import { withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';

export function platformFigureOperations({ sql, clock }: Sources) {
  return {
    async getPlatformFigures({ bot: { botId }, params: { metaPlatform: platform }, query: { from, to } }) {
      const range = { platform, from, to, now: clock() };
      const { latest, days, ...answer } = await readPlatformFigures(sql, botId, range);
      return {
        ...{ botId, platform, ...answer },
        latest: latest.map(withIsoDates),
        days: days.map(withIsoDates),
      };
    },
    async getTemplateFigures({ bot: { botId }, query: { from, to } }) {
      return { botId, ...withIsoDates(await readTemplateReport(sql, botId, { from, to, now: clock() })) };
    },
  } satisfies Partial<Operations>;
}
