/** The operation that searches a bot. */
import { search } from '../../reports/search.ts';
import type { Operations, Sources } from './operation.ts';

export function searchOperations({ sql }: Pick<Sources, 'sql'>) {
  return {
    async search({ bot: { botId }, query: { q } }) {
      return { botId, ...(await search(sql, botId, q)) };
    },
  } satisfies Partial<Operations>;
}
