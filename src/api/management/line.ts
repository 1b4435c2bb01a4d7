/**
 * Operations on LINE's figures of the account, on its sends, and on tokens for LINE's calls. Days are in UTC+9, as LINE's.
 */
import { createLineToken, listLineTokens, revokeLineToken } from '../../bots/line-tokens.ts';
import { isRequestId } from '../../line/answers.ts';
import { sendKinds } from '../../line/daily-figures.ts';
import { readDeliveredDays } from '../../line/delivery-list.ts';
import { sharesOf } from '../../line/demographics.ts';
import { readQuota } from '../../line/quota.ts';
import { pageOfSends } from '../../line/send-list.ts';
import { findLatest } from '../../line/snapshots.ts';
import { isTime, lineZone } from '../../time.ts';
import { msOf, withIsoDates } from '../iso.ts';
import { daysOf, instantsOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';
import { cursorPlace, readPage } from './paging.ts';

const daysMax = 3_700;

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
      return { botId, ...days, days: await readDeliveredDays(sql, botId, days) };
    },
    getLineQuota: async ({ bot: { botId } }) => ({ botId, ...(await readQuota(sql, botId, clock())) }),
    async listLineSends(call) {
      const { bot, query } = call;
      const { kinds = sendKinds } = query;
      const days = daysOf(call, { zone: lineZone, now: clock() });
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
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
      const tokenId = params.lineTokenId;
      await sql.begin((tx) => revokeLineToken(tx, { botId, tokenId, now: clock() }));
    },
  } satisfies Partial<Operations>;
}

const noShares = { genders: null, ages: null, areas: null, appTypes: null, subscriptionPeriods: null };
const toPlace = cursorPlace({ sentAt: isTime, requestId: isRequestId });
