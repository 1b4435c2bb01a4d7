/**
 * Enqueues webhook messages about assigned and removed tags, in the transaction that changes the assignments.
 */
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Change, enqueueMessages } from '../webhooks-out/outbox.ts';
import type { TagKind } from './tag.ts';

/** A contact got or lost a tag at the instant `at` (ms). */
export type TagChange = {
  type: 'contact.tagged' | 'contact.untagged';
  contactId: string;
  tagId: string;
  at: number;
};

/** Enqueues the changes in their order. Must run before the deletion of a tag, because messages contain its name. Not idempotent. */
export async function enqueueTagChanges(
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
  const dataOf = new Map(rows.map(({ tagId, tag, kind }) => [tagId, { tag, kind: kindNames[kind] }]));
  const messages = changes.flatMap(({ tagId, ...change }): Change[] => {
    const data = dataOf.get(tagId);
    return data === undefined ? [] : [{ ...change, data }];
  });
  await enqueueMessages(tx, botId, messages, { now });
}

/** The names in docs/webhooks-out.md. */
const kindNames = { manual: 'manual', personal: 'personal', automatic: 'auto' } as const;
