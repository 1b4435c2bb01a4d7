/**
 * Questions about rich menus: one for each month in which LINE listed the menu. For transactions that hold the lock of their collection.
 */
import { putQuestions } from '../../collector/questions.ts';
import type { CollectionKey } from '../../collector/source.ts';
import type { Transaction } from '../../database/client.ts';
import { lineZone } from '../../time.ts';
import type { Kind } from './kinds.ts';
import { richMenuQuestion } from './schedule.ts';

/** Adds the missing questions. Idempotent. */
export async function findRichMenus(tx: Transaction, key: CollectionKey<Kind>): Promise<void> {
  const menus = await tx<{ richMenuId: string; month: string }[]>`
    select rich_menu_id as "richMenuId", to_char(listed_at at time zone ${lineZone}, 'YYYY-MM') as month
    from line_rich_menus listed
    where bot_id = ${key.botId} and not exists (
      select from collection_questions existing
      where existing.bot_id = ${key.botId} and existing.kind = ${key.kind}
        and existing.subject = listed.rich_menu_id || ' ' || to_char(listed_at at time zone ${lineZone}, 'YYYY-MM'))`;
  await putQuestions(
    tx,
    key,
    menus.map(({ richMenuId, month }) => richMenuQuestion(`${richMenuId} ${month}`, month)),
  );
}
