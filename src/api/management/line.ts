/**
 * Operations that read LINE's figures of the account and the sends on LINE, and those on tokens for LINE's calls. Days are
 * LINE's, in UTC+9.
 */
import {
  createLineToken,
  type LineToken,
  lineTokenScopes,
  listLineTokens,
  revokeLineToken,
} from '../../bots/line-tokens.ts';
import { sendKinds } from '../../line/daily-figures.ts';
import { type DeliveredDay, readDeliveredDays } from '../../line/delivery-list.ts';
import { breakdowns, sharesOf } from '../../line/demographics.ts';
import { readQuota } from '../../line/quota.ts';
import { type ListedSend, pageOfSends, type SendPlace } from '../../line/send-list.ts';
import { findLatest } from '../../line/snapshots.ts';
import { isTime, lineZone } from '../../time.ts';
import {
  daysOf,
  instantOf,
  instantsOf,
  limitOf,
  type ManagementOperations,
  type ManagementSources,
  namesOf,
  pageOf,
  readCursor,
} from './call.ts';

const daysMax = 1_100;

export function lineOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  return {
    async getLineDemographics({ bot: { botId } }) {
      const latest = await findLatest(sql, botId, 'demographic');
      return { botId, ...toDemographics(latest) };
    },
    async getLineDeliveries(call) {
      const { botId } = call.bot;
      const days = daysOf(call, { zone: lineZone, now: clock(), daysMax });
      return { botId, ...days, days: (await readDeliveredDays(sql, botId, days)).map(toDay) };
    },
    getLineQuota: async ({ bot: { botId } }) => ({ botId, ...(await readQuota(sql, botId, clock())) }),
    async listLineSends(call) {
      const { bot, query } = call;
      const days = daysOf(call, { zone: lineZone, now: clock() });
      const limit = limitOf(query);
      const found = await pageOfSends(sql, bot.botId, {
        ...instantsOf(days),
        kinds: namesOf(query.kinds, sendKinds) ?? sendKinds,
        after: readCursor(query, toSendPlace),
        limit: limit + 1,
      });
      const { rows, nextCursor } = pageOf(found, limit, ({ sentAt, requestId }) => ({
        sentAt: sentAt.getTime(),
        requestId,
      }));
      return { ...days, sends: rows.map(toSend), nextCursor };
    },
    listLineTokens: async ({ bot: { botId } }) => ({
      lineTokens: (await listLineTokens(sql, botId)).map(toToken),
    }),
    async createLineToken({ bot: { botId }, body }) {
      const [scope = 'insight'] = namesOf([body.scope], lineTokenScopes) ?? [];
      const expiresAt = instantOf(body.expiresAt);
      const making = { now: clock(), random };
      const { token, ...made } = await createLineToken(sql, botId, { scope, expiresAt }, making);
      return { ...toToken(made), token };
    },
    async revokeLineToken({ bot: { botId }, params }) {
      await revokeLineToken(sql, { botId, tokenId: String(params.lineTokenId), now: clock() });
    },
  };
}

function toToken({ createdAt, expiresAt, revokedAt, ...token }: LineToken) {
  return {
    ...token,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}

function toDemographics(latest: Awaited<ReturnType<typeof findLatest>>) {
  if (latest === null) {
    const none = breakdowns.map((name) => [name, null]);
    return { day: null, available: null, ...Object.fromEntries(none) };
  }
  return { day: latest.day, available: latest.value.available === true, ...sharesOf(latest.value) };
}

function toDay({ kinds, ...day }: DeliveredDay) {
  const named = Object.entries(kinds).map(([kind, messages]) => ({ kind, messages }));
  return { ...day, kinds: named };
}

function toSend({ sentAt, toldAt, ...send }: ListedSend) {
  return { ...send, sentAt: sentAt.toISOString(), toldAt: toldAt?.toISOString() ?? null };
}

const requestIdLengthMax = 200;

function toSendPlace({ sentAt, requestId }: Record<string, unknown>): SendPlace | null {
  const isId = typeof requestId === 'string' && requestId.length <= requestIdLengthMax;
  return isTime(sentAt) && isId ? { sentAt, requestId } : null;
}
