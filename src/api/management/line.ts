/**
 * Operations on LINE's figures of the account, on its sends, and on tokens for LINE's calls. Days are in UTC+9, as LINE's.
 */
import { createLineToken, listLineTokens, revokeLineToken } from '../../bots/line-tokens.ts';
import { sendKinds } from '../../line/daily-figures.ts';
import { type DeliveredDay, readDeliveredDays } from '../../line/delivery-list.ts';
import { sharesOf } from '../../line/demographics.ts';
import { readQuota } from '../../line/quota.ts';
import { pageOfSends } from '../../line/send-list.ts';
import { findLatest } from '../../line/snapshots.ts';
import { isTime, lineZone } from '../../time.ts';
import { msOf, withIsoDates } from '../iso.ts';
import { daysOf, instantsOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';
import { readPage } from './paging.ts';

const daysMax = 1_100;

export function lineOperations({ sql, clock, random }: Sources) {
  return {
    async getLineDemographics({ bot: { botId } }) {
      const latest = await findLatest(sql, botId, 'demographic');
      if (latest === null) return { botId, day: null, available: null, ...noShares };
      const { day, value } = latest;
      return { botId, day, available: value.available === true, ...sharesOf(value) };
    },
    async getLineDeliveries(call) {
      const { botId } = call.bot;
      const days = daysOf(call, { zone: lineZone, now: clock(), daysMax });
      return { botId, ...days, days: (await readDeliveredDays(sql, botId, days)).map(toDay) };
    },
    getLineQuota: async ({ bot: { botId } }) => ({ botId, ...(await readQuota(sql, botId, clock())) }),
    async listLineSends(call) {
      const { bot, query } = call;
      const { kinds = sendKinds } = query;
      const days = daysOf(call, { zone: lineZone, now: clock() });
      const { rows, nextCursor } = await readPage(query, toSendPlace, (page) =>
        pageOfSends(sql, bot.botId, { ...instantsOf(days), kinds, ...page }),
      );
      return { ...days, sends: rows.map(withIsoDates), nextCursor };
    },
    listLineTokens: async ({ bot: { botId } }) => ({
      lineTokens: (await listLineTokens(sql, botId)).map(withIsoDates),
    }),
    async createLineToken({ bot: { botId }, body: { scope = 'insight', expiresAt } }) {
      const token = { scope, expiresAt: msOf(expiresAt) };
      return withIsoDates(await createLineToken(sql, botId, token, { now: clock(), random }));
    },
    async revokeLineToken({ bot: { botId }, params }) {
      await revokeLineToken(sql, { botId, tokenId: params.lineTokenId, now: clock() });
    },
  } satisfies Partial<Operations>;
}

const noShares = { genders: null, ages: null, areas: null, appTypes: null, subscriptionPeriods: null };

function toDay({ kinds, ...day }: DeliveredDay) {
  return { ...day, kinds: Object.entries(kinds).map(([kind, messages]) => ({ kind, messages })) };
}

const requestIdLengthMax = 200;

/** `sentAt` is a date in a row, and milliseconds in a cursor. */
function toSendPlace({ sentAt, requestId }: Record<string, unknown>) {
  const ms = sentAt instanceof Date ? sentAt.getTime() : sentAt;
  const isRequestId = typeof requestId === 'string' && requestId.length <= requestIdLengthMax;
  return isTime(ms) && isRequestId ? { sentAt: ms, requestId } : null;
}
