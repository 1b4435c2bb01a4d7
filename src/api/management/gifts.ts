/**
 * Operations on gifts, and on their grants to contacts. The key of a grant or redemption is the header `Idempotency-Key`.
 */
import { findContact } from '../../contacts/contacts.ts';
import { repeatedTransaction } from '../../database/repeated-transaction.ts';
import { changeGift, createGift, findGift, type Gift, listGifts } from '../../rewards/gifts.ts';
import { type Grant, grantGift, listGrants, listGrantsOfBot, redeemGift } from '../../rewards/grants.ts';
import { msOf, withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

export function giftOperations({ sql, clock, random }: Sources) {
  return {
    async listGifts({ bot: { botId }, query }) {
      const { rows, nextCursor } = await readPage(query, cursorPlace({ name: isText }), ({ after, limit }) =>
        listGifts(sql, botId, { after: after?.name ?? null, limit }),
      );
      return { gifts: rows.map(toGift), nextCursor };
    },
    createGift: ({ bot: { botId }, body }) => {
      const { name, kind, resource, isDefault = false, stock = null, expiresAt } = body;
      const gift = { botId, name, kind, resource, isDefault, stock, expiresAt: dateOf(expiresAt ?? null) };
      return sql.begin(async (tx) => toGift(await createGift(tx, gift, { now: clock(), random })));
    },
    getGift: async ({ bot: { botId }, params }) =>
      toGift(await findGift(sql, { botId, giftId: params.giftId })),
    updateGift: ({ bot: { botId }, params, body: { expiresAt, ...body } }) => {
      const changes = { ...body, ...(expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt) }) };
      return sql.begin(async (tx) =>
        toGift(await changeGift(tx, { botId, giftId: params.giftId, ...changes }, { now: clock() })),
      );
    },
    async listGiftGrants({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ grantId: isSerial }),
        ({ after, limit }) =>
          listGrants(sql, { botId, contactId }, { limit, beforeId: after?.grantId ?? null }),
      );
      return { contactId, grants: rows.map(toGrant), nextCursor };
    },
    async listGrants({ bot: { botId }, query }) {
      const { giftId = null } = query;
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ grantId: isSerial }),
        ({ after, limit }) =>
          listGrantsOfBot(sql, botId, { giftId, limit, beforeId: after?.grantId ?? null }),
      );
      return { grants: rows.map(withIsoDates), nextCursor };
    },
    grantGift: ({ bot: { botId }, params, body: { giftId }, headers, caller, setReplayed }) =>
      repeatedTransaction(sql, async (tx) => {
        const { contactId } = await findContact(tx, botId, params.contactId);
        const change = { botId, giftId, contactId, key: headers['idempotency-key'], by: caller.name };
        const { grant, repeated } = await grantGift(tx, change, { now: clock() });
        setReplayed(repeated);
        return toGrant(grant);
      }),
    redeemGift: ({ bot: { botId }, params, headers, caller, setReplayed }) =>
      repeatedTransaction(sql, async (tx) => {
        const { contactId } = await findContact(tx, botId, params.contactId);
        const change = {
          botId,
          contactId,
          grantId: params.grantId,
          key: headers['idempotency-key'],
          by: caller.name,
        };
        const { grant, repeated } = await redeemGift(tx, change, { now: clock() });
        setReplayed(repeated);
        return toGrant(grant);
      }),
  } satisfies Partial<Operations>;
}

function toGift({ stock, granted, ...gift }: Gift) {
  return { ...withIsoDates(gift), stock, granted, available: stock === null ? null : stock - granted };
}

function toGrant({ contactId: _, ...grant }: Grant) {
  return withIsoDates(grant);
}

function dateOf(text: string | null): Date | null {
  const at = msOf(text ?? undefined);
  return at === null ? null : new Date(at);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
