/**
 * Who calls LINE through the gateway: the bot whose LINE channel a token is good for, and the token that LINE itself takes.
 */

import type { Keys } from '../auth/keys.ts';
import type { Queryable } from '../database/client.ts';
import { hashLineToken, type LineTokenScope } from './line-tokens.ts';

export type LineCaller = {
  botId: string;
  /** Of the token; the channel's own opens all calls. */
  scope: LineTokenScope;
  /** The channel is enabled. */
  enabled: boolean;
  /** Whether clicks of a send that does not say so itself are counted. */
  trackClicks: boolean;
  /** The channel's own access token; null: it has none. */
  accessToken: string | null;
};

type Row = {
  bot_id: string;
  kind: string;
  scope: LineTokenScope;
  enabled: boolean;
  track_clicks: boolean;
  sealed: Uint8Array | null;
};

/**
 * The caller that the token is good for; null: none. The channel's own token stands for itself; one made here is exchanged for
 * the channel's own, which no caller is ever told. Of two bots with the same token it is good for the one that got it last.
 */
export async function findLineCaller(
  sql: Queryable,
  keys: Keys,
  { token, now }: { token: string; now: number },
): Promise<LineCaller | null> {
  const [row] = await sql<Row[]>`
    select token.bot_id, token.kind, token.scope, enabled, track_clicks, access_token_sealed as sealed
    from (
      select bot_id, kind, scope from line_tokens
      where token_hash = decode(${hashLineToken(token)}, 'hex') and revoked_at is null
        and (expires_at is null or expires_at > ${new Date(now)})
      order by created_at desc, bot_id limit 1
    ) token
    join channels on channels.bot_id = token.bot_id and channels.platform = 'line'`;
  if (!row) return null;
  const { bot_id: botId, scope, enabled, track_clicks: trackClicks } = row;
  const place = { botId, platform: 'line', column: 'access token' };
  const accessToken = row.kind === 'channel' ? token : row.sealed && keys.unseal(row.sealed, place);
  return { botId, scope, enabled, trackClicks, accessToken };
}
