/** Requests for earlier conversations of Messenger and Instagram. */
import { putQuestions } from '../collector/questions.ts';
import type { Sql } from '../database/client.ts';
import { historyKinds, metaKinds } from './kinds.ts';
import { firstHistoryPage } from './schedule.ts';

/**
 * Opens the first page of the earlier conversations of a bot's Messenger and Instagram channels. While pages of an earlier request
 * are open, it continues there. Returns the number of channels. The collections must exist.
 */
export async function requestHistory(sql: Sql, botId: string, now: number): Promise<number> {
  let count = 0;
  for (const kind of historyKinds) {
    const platform = metaKinds.find((one) => one.kind === kind)?.platform ?? '';
    await sql.begin(async (tx) => {
      const locked = await tx`
        select from collections join channels on channels.bot_id = collections.bot_id and channels.platform = ${platform}
        where collections.bot_id = ${botId} and collections.kind = ${kind} and enabled and access_token_sealed is not null
        for no key update of collections`;
      if (locked.length === 0) return;
      count += 1;
      const open = await tx`
        select from collection_questions
        where bot_id = ${botId} and kind = ${kind} and ask_at is not null limit 1`;
      if (open.length === 0) {
        await tx`delete from collection_questions where bot_id = ${botId} and kind = ${kind}`;
        await putQuestions(tx, { botId, kind }, [firstHistoryPage(now)]);
      }
      await tx`update collections set look_at = null where bot_id = ${botId} and kind = ${kind}`;
    });
  }
  return count;
}
