/**
 * LINE's figures of rich menus: the menus that LINE listed, and LINE's answers about each for the days of one month (figures.md,
 * section 11).
 *
 * Source: LINE Messaging API reference, "Get rich menu list", "Get rich menu insight summary", "Get rich menu insight daily".
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { JsonObject } from '../json.ts';
import { addDays, isDay } from '../time.ts';

export const richMenuKinds = ['rich-menu-daily', 'rich-menu-summary'] as const;
export type RichMenuKind = (typeof richMenuKinds)[number];

export const richMenuIdForm = /^[A-Za-z0-9._~-]{1,200}$/;
/** LINE's limits of the days from "from" to "to". */
export const richMenuDaysMax: Record<RichMenuKind, number> = {
  'rich-menu-daily': 99,
  'rich-menu-summary': 396,
};

export type RichMenuDays = { richMenuId: string; from: string; to: string };

/** The days of a month (YYYY-MM), at most up to `latest`. */
export function daysOfMonth(month: string, latest: string): { from: string; to: string } {
  const from = `${month}-01`;
  const last = addDays(`${addDays(from, 31).slice(0, 7)}-01`, -1);
  return { from, to: latest < last ? latest : last };
}

/** Stores that LINE listed the menus at `now` (ms). Idempotent. */
export async function putRichMenus(
  tx: Transaction,
  botId: string,
  richMenuIds: readonly string[],
  now: number,
): Promise<void> {
  if (richMenuIds.length === 0) return;
  await tx`
    insert into line_rich_menus (bot_id, rich_menu_id, listed_at)
    select ${botId}, rich_menu_id, ${new Date(now)}
    from ${rowTable(tx, 'listed', richMenuIds, { rich_menu_id: ['text', (id) => id] })}
    on conflict (bot_id, rich_menu_id) do update set listed_at = excluded.listed_at`;
}

type Report = RichMenuDays & { kind: RichMenuKind; value: JsonObject };

/** Stores LINE's answer unless a later one is stored. Returns the number of accepted answers. */
export async function putRichMenuReport(
  tx: Transaction,
  botId: string,
  { kind, richMenuId, from, to, value }: Report,
  receivedAt: Date,
): Promise<number> {
  const { count } = await tx`
    insert into line_rich_menu_events as kept (bot_id, rich_menu_id, kind, first_day, last_day, value, received_at)
    values (${botId}, ${richMenuId}, ${kind}, ${from}, ${to}, ${JSON.stringify(value)}::text::jsonb, ${receivedAt})
    on conflict (bot_id, rich_menu_id, kind, first_day) do update
      set last_day = excluded.last_day, value = excluded.value, received_at = excluded.received_at
      where kept.received_at <= excluded.received_at`;
  return count;
}

/** Returns LINE's answer to an Insight call about a rich menu for exactly these days; null: another call, or none is stored. */
export async function readRichMenuReport(
  sql: Queryable,
  botId: string,
  { path, query }: { path: string; query: string },
): Promise<JsonObject | null> {
  const call = reportOf(path, new URLSearchParams(query));
  if (call === null) return null;
  const { kind, richMenuId, from, to } = call;
  const [row] = await sql<{ value: JsonObject }[]>`
    select value from line_rich_menu_events
    where bot_id = ${botId} and rich_menu_id = ${richMenuId} and kind = ${kind} and first_day = ${from} and last_day = ${to}`;
  return row?.value ?? null;
}

/** The subject of an Insight call about a rich menu; null: another call. */
function reportOf(path: string, query: URLSearchParams): Omit<Report, 'value'> | null {
  const [, richMenuId = '', form = ''] =
    /^\/v2\/bot\/insight\/richmenu\/([^/]+)\/(daily|summary)$/.exec(path) ?? [];
  const kind = richMenuKinds.find((name) => name === `rich-menu-${form}`);
  const [from, to] = [dayIn(query, 'from'), dayIn(query, 'to')];
  return kind === undefined || from === null || to === null ? null : { kind, richMenuId, from, to };
}

/** `20260301` as `2026-03-01`. Null unless the parameter is one day. */
function dayIn(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  const day = values[0]?.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3') ?? '';
  return values.length === 1 && isDay(day) && !values[0]?.includes('-') ? day : null;
}
