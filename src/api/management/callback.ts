/**
 * Operations on the callback: where a bot's changes are told, with which secret, what was told, and the way back for what was
 * not. A secret is in the answer that makes it, and in no other.
 */
import { Refusal } from '../../errors.ts';
import {
  type Callback,
  findCallback,
  removeCallback,
  rotateSecret,
  setCallback,
} from '../../webhooks-out/endpoints.ts';
import {
  type Attempt,
  findNotice,
  type ListedNotice,
  listNotices,
  noticeStates,
  replayNotices,
} from '../../webhooks-out/log.ts';
import {
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
} from './call.ts';

export function callbackOperations(sources: ManagementSources): ManagementOperations {
  const { sql, gate, clock, random, keys } = sources;
  const making = () => ({ now: clock(), random, keys });
  const read = async (botId: string) => {
    const callback = await findCallback(sql, botId, clock());
    return { botId, callback: callback && toCallback(callback) };
  };
  const find = async ({ bot: { botId }, params }: ManagementCall) => {
    const found = await findNotice(sql, botId, Number(params.noticeId));
    if (found) return found;
    throw new Refusal('NOTICE_NOT_FOUND', `Bot ${botId} has no notice ${params.noticeId}.`);
  };
  return {
    getCallback: ({ bot: { botId } }) => read(botId),
    async setCallback({ bot: { botId }, body }) {
      const { secret } = await setCallback(sql, { botId, url: String(body.url) }, { gate, ...making() });
      return { ...(await read(botId)), secret };
    },
    async removeCallback({ bot: { botId } }) {
      await removeCallback(sql, botId, { now: clock() });
    },
    async rotateCallbackSecret({ bot: { botId }, body }) {
      const made = await rotateSecret(sql, { botId, retire: body.retireSecret === true }, making());
      return { botId, secret: made.secret, previousSecretUntil: isoOrNull(made.previousSecretUntil) };
    },
    async listNotices({ bot: { botId }, query }) {
      const limit = limitOf(query);
      const state = noticeStates.find((name) => name === query.state) ?? null;
      const beforeId = readCursor(query, ({ noticeId }) =>
        Number.isSafeInteger(noticeId) ? Number(noticeId) : null,
      );
      const found = await listNotices(sql, botId, { state, limit: limit + 1, beforeId });
      const { rows, nextCursor } = pageOf(found, limit, ({ noticeId }) => ({ noticeId }));
      return { notices: rows.map(toNotice), nextCursor };
    },
    async getNotice(call) {
      const { attempts, ...notice } = await find(call);
      return { ...toNotice(notice), attempts: attempts.map(toAttempt) };
    },
    async replayNotice(call) {
      const { noticeId } = await find(call);
      return { replayed: await replayNotices(sql, call.bot.botId, [noticeId], { now: clock() }) };
    },
    async replayGivenUp({ bot: { botId } }) {
      return { replayed: await replayNotices(sql, botId, null, { now: clock() }) };
    },
  };
}

/** A callback as it is told, without what signs. */
export function toCallback({ url, waiting, ...times }: Callback) {
  return {
    url,
    waiting,
    failingSince: isoOrNull(times.failingSince),
    disabledAt: isoOrNull(times.disabledAt),
    previousSecretUntil: isoOrNull(times.previousSecretUntil),
    createdAt: times.createdAt.toISOString(),
    updatedAt: times.updatedAt.toISOString(),
  };
}

function toNotice({ happenedAt, createdAt, dueAt, endedAt, ...notice }: ListedNotice) {
  return {
    ...notice,
    happenedAt: happenedAt.toISOString(),
    createdAt: createdAt.toISOString(),
    dueAt: isoOrNull(dueAt),
    endedAt: isoOrNull(endedAt),
  };
}

function toAttempt({ attemptedAt, ...attempt }: Attempt) {
  return { ...attempt, attemptedAt: attemptedAt.toISOString() };
}

function isoOrNull(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
