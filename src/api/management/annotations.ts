/** Operations on the annotations of charts. */
import { createAnnotation, deleteAnnotation, listAnnotations } from '../../reports/annotations.ts';
import { daysOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';

const daysMax = 3_700;

export function annotationOperations({ sql, clock, random }: Sources) {
  return {
    async listAnnotations(call) {
      const { bot } = call;
      const { from, to } = daysOf(call, { zone: bot.timeZone, now: clock(), daysMax });
      return { botId: bot.botId, from, to, annotations: await listAnnotations(sql, bot, { from, to }) };
    },
    createAnnotation: ({ bot: { botId }, body }) =>
      createAnnotation(sql, botId, body, { now: clock(), random }),
    deleteAnnotation: ({ bot: { botId }, params: { annotationId } }) =>
      deleteAnnotation(sql, { botId, annotationId }),
  } satisfies Partial<Operations>;
}
