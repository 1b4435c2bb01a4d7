/**
 * Friends from before the connection: LINE's list of an account's friends becomes contacts, page by page.
 *
 *     lock the list → ask LINE for a page → under the bot's lock: contacts and the place of the next page → commit
 *
 * The list changes no figure: a listed contact is a follower only after an event of its own (figures.md, section 12). A killed process
 * repeats its page. The list starts again when LINE refuses the token of the page (400) or the token is a day old; contacts that exist
 * stay. All other failures repeat the page, after growing pauses.
 *
 * Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend": verified and premium
 * accounts only, else 403; at most 1,000 ids a call; `next` is valid for 24 hours; people who block the account are left out.
 */
import type { Keys } from '../../auth/keys.ts';
import { lockBot } from '../../bots/bots.ts';
import { type Channel, findChannel, hasAccess } from '../../bots/channels.ts';
import { Stopped } from '../../collector/source.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../../database/client.ts';
import { msOf } from '../../database/instants.ts';
import { rowTable } from '../../database/row-table.ts';
import { Refusal } from '../../errors.ts';
import { isObject, parseJson } from '../../json.ts';
import { newId, type Random } from '../../random.ts';
import { type Clock, dayMs, hourMs, secondMs } from '../../time.ts';
import type { LineAccess } from '../access.ts';
import type { LineClient } from '../line-client.ts';

export type FriendParts = {
  sql: Sql;
  keys: Keys;
  line: LineClient;
  access: LineAccess;
  clock: Clock;
  random: Random;
  onCall(endpoint: string, outcome: string): void;
};

/** `reading`: further pages follow, possibly after a pause with a `problem`. */
export type FriendList = {
  state: 'reading' | 'done' | 'unavailable';
  /** Friends read so far, and those that became contacts by it. */
  listed: number;
  added: number;
  nextAt: Date | null;
  problem: string | null;
};

const pageSize = 1_000;
const firstPauseMs = 5 * secondMs;
const pauseMsMax = hourMs;
/** The account may be verified later. */
const unavailablePauseMs = 7 * dayMs;
/** LINE's limit for the token of a page. */
const pageTokenMs = dayMs;
const userForm = /^U[0-9a-f]{32}$/;

/** Returns the bots whose list is due at `now` (ms): not read yet, or with a next page. */
export async function dueFriendLists(sql: Queryable, now: number): Promise<string[]> {
  const rows = await sql<{ botId: string }[]>`
    select channels.bot_id as "botId" from channels
    left join line_friend_lists list on list.bot_id = channels.bot_id
    where channels.platform = 'line' and channels.enabled and ${hasAccess(sql)} and (list.bot_id is null or ${isDue(sql, now)})
    order by channels.bot_id`;
  return rows.map(({ botId }) => botId);
}

/** For queries with `list` and `channels`: new settings of the channel end the pause of an account without the list. */
function isDue(sql: Queryable, now: number): Fragment {
  return sql`(list.state <> 'done' and coalesce(list.next_at <= ${new Date(now)}, true)
    or list.state = 'unavailable' and channels.updated_at > list.updated_at)`;
}

/** Starts the list again from its first page, unless it is being read. Pauses end. Idempotent. */
export async function restartFriendList(sql: Queryable, botId: string, now: number): Promise<void> {
  const at = new Date(now);
  await sql`
    insert into line_friend_lists as list (bot_id, state, started_at, updated_at) values (${botId}, 'reading', ${at}, ${at})
    on conflict (bot_id) do update set next_at = null, failures = 0, problem = null, updated_at = ${at},
      state = 'reading', listed = case when list.state = 'reading' then list.listed else 0 end,
      added = case when list.state = 'reading' then list.added else 0 end,
      next_page = case when list.state = 'reading' then list.next_page end,
      next_page_at = case when list.state = 'reading' then list.next_page_at end`;
}

/** The state of a bot's list; null: not begun. */
export async function readFriendList(sql: Queryable, botId: string): Promise<FriendList | null> {
  const [row] = await sql<FriendList[]>`
    select state, listed::float8 as listed, added::float8 as added, next_at as "nextAt", problem
    from line_friend_lists where bot_id = ${botId}`;
  return row ?? null;
}

/** Reads the next page of a list that is due. Safe to call at any time, from any number of processes. False: another process reads it, or it pauses. */
export async function readFriendPage(parts: FriendParts, botId: string): Promise<boolean> {
  const { sql, clock } = parts;
  const at = new Date(clock());
  await sql`
    insert into line_friend_lists (bot_id, state, started_at, updated_at) values (${botId}, 'reading', ${at}, ${at})
    on conflict (bot_id) do nothing`;
  return sql.begin(async (tx) => {
    // PostgreSQL checks the condition again on the row that it locks, so a page that another process has just read is not read twice.
    const [place] = await tx<{ nextPage: string | null; issuedAt: number | null; failures: number }[]>`
      select list.next_page as "nextPage", ${msOf(tx, 'list.next_page_at')} as "issuedAt", list.failures
      from line_friend_lists list
      join channels on channels.bot_id = ${botId} and channels.platform = 'line'
      where list.bot_id = ${botId} and ${isDue(tx, clock())} for no key update of list skip locked`;
    if (!place) return false;
    const { nextPage, issuedAt, failures } = place;
    const isOld = nextPage !== null && issuedAt !== null && clock() - issuedAt >= pageTokenMs;
    const page = isOld ? 'expired' : await askForPage(tx, parts, { botId, nextPage });
    await putPage(tx, parts, { botId, page, failures });
    return true;
  }) as Promise<boolean>;
}

type Page =
  | { userIds: string[]; nextPage: string | null }
  /** LINE does not know the token of the page any more. */
  | 'expired'
  | 'unavailable'
  | { problem: string };

async function askForPage(
  tx: Transaction,
  parts: FriendParts,
  { botId, nextPage }: { botId: string; nextPage: string | null },
): Promise<Page> {
  const channel = await openChannel(tx, parts, botId);
  if ('problem' in channel) return channel;
  const query = new URLSearchParams({
    limit: String(pageSize),
    ...(nextPage === null ? {} : { start: nextPage }),
  });
  const reply = await parts.access.call(channel, async (token) => {
    const answer = await parts.line.get(`/v2/bot/followers/ids?${query}`, token);
    parts.onCall('friends', answer.outcome);
    return answer;
  });
  if ('failure' in reply) return { problem: reply.problem };
  if (reply.outcome === 'unavailable') return 'unavailable';
  // The only parameter that can be wrong is the token of the page.
  if (reply.outcome === 'nonsense' && reply.status === 400 && nextPage !== null) return 'expired';
  if (reply.outcome === 'unknown')
    return { problem: 'The server does not know this call (404), so it is not LINE.' };
  if (reply.outcome !== 'answered') return { problem: reply.problem };
  const answer = parseJson(reply.text);
  const { userIds, next } = isObject(answer) ? answer : {};
  const isPage = Array.isArray(userIds) && userIds.every((id) => typeof id === 'string' && userForm.test(id));
  if (!isPage) return { problem: "LINE's answer is not a list of friends." };
  return {
    userIds: [...new Set<string>(userIds)],
    nextPage: typeof next === 'string' && next !== '' ? next : null,
  };
}

async function openChannel(
  tx: Transaction,
  { keys, clock }: FriendParts,
  botId: string,
): Promise<Channel | { problem: string }> {
  try {
    const channel = await findChannel(tx, keys, { botId, platform: 'line', now: clock() });
    return channel ?? { problem: 'The bot has no LINE channel.' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { problem: error.message };
  }
}

async function putPage(
  tx: Transaction,
  { clock, random }: FriendParts,
  { botId, page, failures }: { botId: string; page: Page; failures: number },
): Promise<void> {
  const now = clock();
  const at = new Date(now);
  const pausedUntil = new Date(now + Math.min(firstPauseMs * 2 ** Math.min(failures, 20), pauseMsMax));
  if (page === 'unavailable') {
    const problem = 'LINE lists friends for verified and premium accounts only (403).';
    await tx`
      update line_friend_lists set state = 'unavailable', problem = ${problem}, next_at = ${new Date(now + unavailablePauseMs)},
        failures = 0, updated_at = ${at}
      where bot_id = ${botId}`;
  } else if (page === 'expired') {
    await tx`
      update line_friend_lists set state = 'reading', next_page = null, next_page_at = null, listed = 0, failures = failures + 1, next_at = ${pausedUntil}, updated_at = ${at}
      where bot_id = ${botId}`;
  } else if ('problem' in page) {
    await tx`
      update line_friend_lists set state = 'reading', failures = failures + 1, problem = ${page.problem}, next_at = ${pausedUntil}, updated_at = ${at}
      where bot_id = ${botId}`;
  } else {
    await lockBot(tx, botId);
    const added = await putFriends(tx, botId, page.userIds, { now, random });
    await tx`
      update line_friend_lists set listed = listed + ${page.userIds.length}, added = added + ${added},
        next_page = ${page.nextPage}, next_page_at = ${page.nextPage === null ? null : at}, state = ${page.nextPage === null ? 'done' : 'reading'},
        next_at = null, failures = 0, problem = null, updated_at = ${at}
      where bot_id = ${botId}`;
  }
}

/**
 * Adds the friends as contacts, or marks the contacts that exist. Returns the number of new contacts. Their profiles are due after those
 * of people who write now. The caller holds the bot's lock. Idempotent.
 */
export async function putFriends(
  tx: Transaction,
  botId: string,
  userIds: readonly string[],
  { now, random }: { now: number; random: Random },
): Promise<number> {
  const at = new Date(now);
  const [row] = await tx<[{ added: number }]>`
    with written as (
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at, listed_at, profile_due_at)
      select ${botId}, contact_id, 'line', platform_contact_id, ${at}, ${at}, ${at}
      from ${rowTable(tx, 'new', userIds, {
        contact_id: ['text', () => newId(random)],
        platform_contact_id: ['text', (id) => id],
      })}
      on conflict (bot_id, platform, platform_contact_id) do update set listed_at = excluded.listed_at
        where contacts.listed_at is null
      returning xmax = 0 as "isNew"
    )
    select count(*) filter (where "isNew")::integer as added from written`;
  return row.added;
}

/** Reads pages of due lists until none is due or `isStopped`. Throws errors of the database. */
export async function readFriendLists(parts: FriendParts, isStopped: () => boolean): Promise<void> {
  try {
    for (const botId of await dueFriendLists(parts.sql, parts.clock())) {
      if (isStopped()) return;
      await readFriendPage(parts, botId);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
}
