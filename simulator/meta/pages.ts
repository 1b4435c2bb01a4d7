/** The pages of a list, with Graph's cursors. */
import { GraphError, invalidParameter } from './graph-error.ts';

export type Page<Item> = { data: Item[]; paging: { cursors: object; next?: string } };

/** The page of the items after the cursor; undefined: the first. Throws GraphError for a cursor that is not Graph's. */
export function pageOf<Item>(
  items: readonly Item[],
  { after, limit }: { after: string | undefined; limit: number },
): Page<Item> {
  const start = after === undefined ? 0 : Number(Buffer.from(after, 'base64url').toString());
  if (!Number.isSafeInteger(start)) throw new GraphError(invalidParameter('Invalid cursor'));
  const data = items.slice(start, start + limit);
  const end = start + data.length;
  const next = Buffer.from(String(end)).toString('base64url');
  const cursors = { before: '', after: next };
  return { data, paging: { cursors, ...(end < items.length && { next: `…after=${next}` }) } };
}
