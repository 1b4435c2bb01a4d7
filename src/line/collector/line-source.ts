/**
 * LINE as a source of figures: its channels, calls and answers. Answers go to the inbox, where the worker folds them.
 */

import type { Keys } from '../../auth/keys.ts';
import { type Channel, findChannel, recordAccount } from '../../bots/channels.ts';
import type { CollectionKey, FailedCall, Source } from '../../collector/source.ts';
import type { Queryable, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { putDeliveries } from '../../inbox/inbox.ts';
import type { Clock } from '../../time.ts';
import type { LineAccess } from '../access.ts';
import type { LineClient } from '../line-client.ts';
import { putRichMenus } from '../rich-menus.ts';
import { callsOf, isDayKind, isStatisticKind, type Kind, kinds, type Reading, readAnswers } from './kinds.ts';
import { findRichMenus } from './rich-menu-questions.ts';
import { plan, transition } from './schedule.ts';
import { findSends } from './send-questions.ts';

type Parts = {
  keys: Keys;
  line: LineClient;
  access: LineAccess;
  clock: Clock;
  /** Called after each call to LINE. */
  onCall(endpoint: string, outcome: string): void;
};

/** The channels and kinds of LINE. */
export const lineChannels = {
  kinds: kinds.map((kind) => ({ kind, platform: 'line' as const })),
  collectable,
};

export function lineSource(parts: Parts): Source<Kind, Reading> {
  const { line, clock } = parts;
  return {
    name: 'LINE',
    ...lineChannels,
    isByDay: isDayKind,
    plan,
    transition,
    addQuestions: async (tx, key, time) => {
      await findSends(tx, key, time);
      if (key.kind === 'rich-menu-daily' || key.kind === 'rich-menu-summary') await findRichMenus(tx, key);
    },
    ask: (tx, question) => askLine(tx, parts, question),
    async checkAnswer(tx, { botId }, { accountId, richMenuIds = [] }) {
      await putRichMenus(tx, botId, richMenuIds, clock());
      return accountId === null ? null : checkAccount(tx, { botId, accountId, now: clock() });
    },
    async store(tx, { botId }, entry, now) {
      const body = Buffer.from(entry);
      await putDeliveries(tx, [{ botId, platform: 'line', source: 'line-answer', body, receivedAt: now }]);
    },
    close: () => line.close(),
  };
}

/**
 * For queries: the collectable LINE channels, `channel` with its `token`. They are enabled and have a channel id or an access token;
 * `token_id` changes with these settings. A token from before the hashing of tokens must be set again.
 */
export function collectable(sql: Queryable) {
  return sql`
    channels channel
    join (
      select channels.bot_id,
        case when channel_id is null then own.token_id else 'issued ' || channels.updated_at end as token_id
      from channels
      left join line_tokens own on own.bot_id = channels.bot_id and own.kind = 'channel' and own.revoked_at is null
      where channels.platform = 'line'
        and (channel_id is not null or (access_token_sealed is not null and own.token_id is not null))
    ) token on token.bot_id = channel.bot_id and channel.platform = 'line' and channel.enabled`;
}

async function askLine(
  tx: Transaction,
  parts: Parts,
  { botId, kind, subject }: CollectionKey<Kind> & { subject: string },
): Promise<Reading | FailedCall> {
  const { line, access, clock, onCall } = parts;
  const channel = await openChannel(tx, parts, botId);
  if ('failure' in channel) return channel;
  const texts: string[] = [];
  const now = clock();
  for (const { endpoint, path } of callsOf(kind, subject, now)) {
    const reply = await access.call(channel, async (token) => {
      const answer = await line.get(path, token);
      onCall(endpoint, answer.outcome);
      return answer;
    });
    if ('failure' in reply) return reply;
    if (reply.outcome === 'answered') texts.push(reply.text);
    else if (reply.outcome !== 'unknown') return { failure: reply.outcome, problem: reply.problem };
    else if (isStatisticKind(kind) && kind !== 'unit')
      return { outcome: 'unknown', entry: null, accountId: null };
    else
      return { failure: 'nonsense', problem: 'The server does not know this call (404), so it is not LINE.' };
  }
  try {
    return readAnswers({ kind, subject }, texts, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: 'nonsense', problem: `LINE's answer cannot be read: ${error.message}` };
  }
}

async function openChannel(
  tx: Transaction,
  { keys, clock }: Parts,
  botId: string,
): Promise<Channel | FailedCall> {
  const now = clock();
  try {
    const channel = await findChannel(tx, keys, { botId, platform: 'line', now });
    if (channel) return channel;
    return { failure: 'sealed', problem: 'The bot has no LINE channel.' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: 'sealed', problem: error.message };
  }
}

/** Sets the channel's destination to LINE's account id if there is none. Returns a problem if there is another one. */
async function checkAccount(
  tx: Transaction,
  { botId, accountId, now }: { botId: string; accountId: string; now: number },
): Promise<string | null> {
  const destination = await recordAccount(tx, { botId, platform: 'line', accountId, now });
  if (destination === accountId) return null;
  return (
    `The access token belongs to the account ${accountId}, but the channel's destination is ${destination}, so webhooks ` +
    `for ${accountId} are ignored. Set the matching token or destination.`
  );
}
