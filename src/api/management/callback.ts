/**
 * Operations on the callback: the address of a bot's webhooks and its secret, the log of webhooks, and their replay. Only the
 * answer that creates a secret contains it.
 */
import { Refusal } from '../../errors.ts';
import { findCallback, removeCallback, rotateSecret, setCallback } from '../../webhooks-out/endpoints.ts';
import { findMessage, listMessages, replayMessages } from '../../webhooks-out/log.ts';
import { isoOrNull, withIsoDates } from '../iso.ts';
import type { Call, Operations, Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

export function callbackOperations(sources: Sources) {
  const { sql, gate, clock, random, keys } = sources;
  const making = () => ({ now: clock(), random, keys });
  const findOwn = async ({
    bot: { botId },
    params: { noticeId },
  }: Pick<Call<'getNotice'>, 'bot' | 'params'>) => {
    const notice = await findMessage(sql, botId, noticeId);
    if (notice) return notice;
    throw new Refusal('NOTICE_NOT_FOUND', `Bot ${botId} has no notice ${noticeId}.`);
  };
  return {
    async getCallback({ bot: { botId } }) {
      const callback = await findCallback(sql, botId, clock());
      return { botId, callback: callback && withIsoDates(callback) };
    },
    async setCallback({ bot: { botId }, body: { url } }) {
      const { secret } = await setCallback(sql, { botId, url }, { gate, ...making() });
      const callback = await findCallback(sql, botId, clock());
      if (callback === null) throw new Error(`the callback of the bot ${botId} has just been removed`);
      return { botId, callback: withIsoDates(callback), secret };
    },
    async removeCallback({ bot: { botId } }) {
      await removeCallback(sql, botId, { now: clock() });
    },
    async rotateCallbackSecret({ bot: { botId }, body: { retireSecret = false } }) {
      const rotation = await rotateSecret(sql, { botId, retire: retireSecret }, making());
      const { secret, previousSecretUntil } = rotation;
      return { botId, secret, previousSecretUntil: isoOrNull(previousSecretUntil) };
    },
    async listNotices({ bot: { botId }, query }) {
      const { state = null } = query;
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ noticeId: isSerial }),
        ({ after, limit }) => listMessages(sql, botId, { state, limit, beforeId: after?.noticeId ?? null }),
      );
      return { notices: rows.map(withIsoDates), nextCursor };
    },
    async getNotice(call) {
      const { attempts, ...notice } = await findOwn(call);
      return { ...withIsoDates(notice), attempts: attempts.map(withIsoDates) };
    },
    async replayNotice(call) {
      const { noticeId } = await findOwn(call);
      return {
        replayed: await replayMessages(sql, call.bot.botId, [noticeId], { now: clock() }),
      };
    },
    async replayGivenUp({ bot: { botId } }) {
      return { replayed: await replayMessages(sql, botId, null, { now: clock() }) };
    },
  } satisfies Partial<Operations>;
}
