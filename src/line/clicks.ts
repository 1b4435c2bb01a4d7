/**
 * Clicks on the links that replace a send's URLs: the links, and the counting of clicks.
 *
 * A link is stored before its message is sent, when the send has no request id from LINE yet. A click is therefore stored first,
 * once, and counted as soon as both the click and the send are stored, in any order.
 */
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { isObject } from '../json.ts';
import { dayMs } from '../time.ts';
import type { LineAnswer } from './answers.ts';
import { addInteractions, countedMs, type Interaction } from './interactions.ts';
import type { ClickRecord } from './send-records.ts';

/** A URL of a send, and the code of the link that replaces it. */
export type Link = {
  code: string;
  linkSet: string;
  /** Serial number of the URL in the send, from 1. */
  seq: number;
  url: string;
  /** LINE's user id if the send goes to one person; otherwise null. */
  person: string | null;
};

export type StoredLink = Pick<Link, 'linkSet' | 'url' | 'person'> & { botId: string };

/** Stores links; committed when the promise resolves. Idempotent: the same code is the same link. */
export async function putLinks(sql: Sql, botId: string, links: readonly Link[], now: number): Promise<void> {
  await sql`
    insert into line_links (bot_id, code, link_set, seq, url, person, created_at)
    select ${botId}, link.*, ${new Date(now)}
    from ${rowTable(sql, 'link', links, {
      code: ['text', ({ code }) => code],
      link_set: ['text', ({ linkSet }) => linkSet],
      seq: ['integer', ({ seq }) => seq],
      url: ['text', ({ url }) => url],
      person: ['text', ({ person }) => person],
    })}
    on conflict (bot_id, code) do nothing`;
}

/** Returns the link of a code and its bot; null: none. */
export async function findLink(sql: Queryable, code: string): Promise<StoredLink | null> {
  const [link] = await sql<StoredLink[]>`
    select bot_id as "botId", url, person, link_set as "linkSet" from line_links where code = ${code} limit 1`;
  return link ?? null;
}

type Subject = { requestId: string } | { unit: string };

const linkPath = /\/r\/([A-Za-z]+)$/;

/**
 * Replaces our links in LINE's statistics by the original URLs: the links of one send, or of the sends of one unit. One query if
 * the statistics contain links, otherwise none.
 */
export async function withOriginalUrls(
  sql: Queryable,
  { botId, answer, sent }: { botId: string; answer: LineAnswer | null; sent: Subject },
): Promise<LineAnswer | null> {
  const entries = Array.isArray(answer?.clicks) ? answer.clicks.filter(isObject) : [];
  const codes = entries.flatMap(({ url }) => codeOf(url) ?? []);
  if (codes.length === 0) return answer;
  const links = await sql<{ code: string; url: string }[]>`
    select code, url from line_links link
    where bot_id = ${botId} and code = any (${codes}::text[]) and exists (
      select from line_sends sent where sent.bot_id = ${botId} and sent.link_set = link.link_set
        and ${'unit' in sent ? sql`unit = ${sent.unit}` : sql`request_id = ${sent.requestId}`})`;
  const urls = new Map(links.map(({ code, url }) => [code, url]));
  const clicks = entries.map((entry) => ({ ...entry, url: urls.get(codeOf(entry.url) ?? '') ?? entry.url }));
  return { ...answer, clicks };
}

function codeOf(url: unknown): string | null {
  if (typeof url !== 'string') return null;
  return linkPath.exec(URL.parse(url)?.pathname ?? '')?.[1] ?? null;
}

/** Stores clicks. Idempotent. */
export async function keepClicks(
  sql: Queryable,
  botId: string,
  clicks: readonly ClickRecord[],
): Promise<void> {
  if (clicks.length === 0) return;
  await sql`
    insert into line_clicks (bot_id, click_id, code, person, clicked_at)
    select ${botId}, new.*
    from ${rowTable(sql, 'new', clicks, {
      click_id: ['text', ({ clickId }) => clickId],
      code: ['text', ({ code }) => code],
      person: ['text', ({ person }) => person],
      clicked_at: ['timestamptz', ({ clickedAt }) => clickedAt],
    })}
    on conflict (bot_id, click_id) do nothing`;
}

/** Counts the stored clicks whose send is stored, each once. */
export async function countClicks(tx: Transaction, botId: string): Promise<void> {
  const clicks = await tx<(Omit<Interaction, 'at'> & { at: Date })[]>`
    with due as (
      select clicks.click_id, sent.request_id, link.seq, link.url
      from line_clicks clicks
      join line_links link on link.bot_id = clicks.bot_id and link.code = clicks.code
      join line_sends sent on sent.bot_id = link.bot_id and sent.link_set = link.link_set
      where clicks.bot_id = ${botId} and not clicks.counted
    )
    update line_clicks clicks set counted = true
    from due where clicks.bot_id = ${botId} and clicks.click_id = due.click_id
    returning due.request_id as "requestId", 'click' as kind, due.seq, due.url, clicks.person,
      clicks.clicked_at as at`;
  const interactions = clicks.map((click) => ({ ...click, at: click.at.getTime() }));
  if (interactions.length > 0) await addInteractions(tx, botId, interactions);
}

/**
 * Deletes clicks that can no longer count or be replayed from a delivery. The links stay, because their messages do. Idempotent.
 */
export async function purgeClicks(
  sql: Queryable,
  botId: string,
  retention: { now: number; retentionDays: number },
): Promise<void> {
  await sql`delete from line_clicks where bot_id = ${botId} and ${isOldClick(sql, retention)}`;
}

/** For queries over `line_clicks`: true for clicks that `purgeClicks` deletes. */
export function isOldClick(
  sql: Queryable,
  { now, retentionDays }: { now: number; retentionDays: number },
): Fragment {
  const storageMs = Math.max(countedMs, retentionDays * dayMs) + dayMs;
  return sql`clicked_at < ${new Date(now - storageMs)}`;
}
