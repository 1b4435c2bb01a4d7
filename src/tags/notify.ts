/**
 * Tags that were put on contacts and taken off, told to the bot's callback address in the transaction that changed them.
 */
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Change, enqueueMessages } from '../webhooks-out/outbox.ts';
import type { TagKind } from './tag.ts';

/** A tag that a contact has since `at` (ms), or has no more since then. */
export type TagChange = {
  type: 'contact.tagged' | 'contact.untagged';
  contactId: string;
  tagId: string;
  at: number;
};

/** Tells the changes, in their order. Belongs before the deletion of a tag: its name goes out. Not repeatable. */
export async function tellTags(
  tx: Transaction,
  botId: string,
  changes: readonly TagChange[],
  { now }: { now: number },
): Promise<void> {
  if (changes.length === 0) return;
  const tagIds = [...new Set(changes.map(({ tagId }) => tagId))];
  const rows = await tx<{ tagId: string; tag: string; kind: TagKind }[]>`
    select tag_id as "tagId", name as tag, kind from tags
    where bot_id = ${botId} and tag_id = any(${textList(tagIds)}::text[])`;
  const dataOf = new Map(rows.map(({ tagId, tag, kind }) => [tagId, { tag, kind: toldKinds[kind] }]));
  const told = changes.flatMap(({ tagId, ...change }): Change[] => {
    const data = dataOf.get(tagId);
    return data === undefined ? [] : [{ ...change, data }];
  });
  await enqueueMessages(tx, botId, told, { now });
}

/** As docs/webhooks-out.md has them. */
const toldKinds = { manual: 'manual', personal: 'personal', automatic: 'auto' } as const;
