/**
 * `shoal collect BOT --friends`: reads LINE's list of friends, with progress.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { LineAccess } from '../line/access.ts';
import { collectableBots } from '../line/collector/status.ts';
import { LineClient } from '../line/line-client.ts';
import {
  type FriendList,
  type FriendParts,
  readFriendList,
  readFriendPage,
  restartFriendList,
} from '../line/people/friends.ts';
import { secondMs } from '../time.ts';
import type { Answer } from './command.ts';
import type { Context } from './context.ts';
import { withProgress } from './progress.ts';
import { untilStopped } from './until-stopped.ts';

type BotFriends = FriendList & { botId: string };

const busyMs = secondMs / 2;

/** Reads the lists of the bots (default: all with access to LINE) to their ends, or until Ctrl-C. Run it again to continue. */
export async function collectFriends(context: Context, bots: readonly string[]): Promise<Answer> {
  const lists = await untilStopped((stop) =>
    context.withDatabase((sql) => readAll(context, sql, bots, stop)),
  );
  const text = lists.map(render).join('\n') || 'No LINE channel has an access token.';
  return { json: { bots: lists }, text, isFailure: lists.some(({ state }) => state !== 'done') };
}

async function readAll(
  context: Context,
  sql: Sql,
  bots: readonly string[],
  stop: AbortSignal,
): Promise<BotFriends[]> {
  const { clock, random } = context;
  const collectable = await collectableBots(sql);
  const unusable = bots.find((botId) => !collectable.includes(botId));
  if (unusable !== undefined) {
    throw new Refusal('INPUT_INVALID', `Bot ${unusable} has no LINE channel with access to LINE.`);
  }
  const onCall = (): void => undefined;
  const line = new LineClient(context.config().lineApi);
  const access = new LineAccess(line, { clock, onCall });
  const parts: FriendParts = { sql, keys: await context.keys(sql), line, access, clock, random, onCall };
  const lists: BotFriends[] = [];
  try {
    for (const botId of bots.length > 0 ? bots : collectable) {
      await restartFriendList(sql, botId, clock());
      lists.push({ botId, ...(await readOne(context, parts, botId, stop)) });
    }
  } finally {
    await line.close();
  }
  return lists;
}

/** Reads pages until the list ends, LINE does not answer, or `stop`. */
function readOne(
  context: Context,
  parts: FriendParts,
  botId: string,
  stop: AbortSignal,
): Promise<FriendList> {
  return withProgress(context, 'friends', async (progress) => {
    const expected = await expectedFriends(parts.sql, botId);
    for (;;) {
      const list = await readFriendList(parts.sql, botId);
      if (list === null) throw new Error('the list was started');
      progress(list.listed, Math.max(expected, list.listed));
      if (list.state !== 'reading' || list.problem !== null || stop.aborted) return list;
      const isRead = await readFriendPage(parts, botId);
      if (!isRead) await pause(busyMs);
    }
  });
}

/** LINE's latest number of friends, without those that block the account; 0: not known. */
async function expectedFriends(sql: Sql, botId: string): Promise<number> {
  const [row] = await sql<{ friends: number }[]>`
    select ((value->>'followers')::float8 - (value->>'blocks')::float8) as friends from snapshots
    where bot_id = ${botId} and kind = 'followers' and status = 'ready' order by day desc limit 1`;
  return Math.max(0, row?.friends ?? 0);
}

function render({ botId, state, listed, added, problem }: BotFriends): string {
  const counts = `${listed} friends, ${added} of them new contacts`;
  if (state === 'done') return `${botId}: ${counts}.`;
  return `${botId}: ${counts} so far. ${problem ?? 'Run it again to continue.'}`;
}
