/**
 * Operations that compare stored figures and points with what they are computed from: the recount and the points audit.
 */
import { findBot } from '../../bots/bots.ts';
import { auditPoints } from '../../points/audit.ts';
import { recount } from '../../rebuild/recount.ts';
import { refuseLarge } from '../../rebuild/update-bot.ts';
import type { Operations, Sources } from './operation.ts';

/** A recount of this number of events takes some seconds. The command has no limit. */
export const recountedEventsMax = 100_000;

export function checkOperations({ sql }: Sources) {
  return {
    async recountFigures({ bot: { botId }, body: { check = true } }) {
      await refuseLarge(sql, botId, {
        eventsMax: recountedEventsMax,
        instead: `shoal recount ${botId}${check ? ' --check' : ''}`,
      });
      const found = await recount(sql, botId, { check, progress: () => undefined });
      const differences = found.map(({ where, kept, recounted }) => ({ where, stored: kept, recounted }));
      return { botId, check, differences };
    },
    async auditPoints({ bot: { botId } }) {
      await findBot(sql, botId);
      return { botId, differences: await auditPoints(sql, botId) };
    },
  } satisfies Partial<Operations>;
}
