/**
 * Operations on deliveries: the list, one with its body, and the replay of those that were set aside.
 */
import { requirePerson } from '../../contacts/contacts.ts';
import { Refusal } from '../../errors.ts';
import {
  findDelivery,
  type ListedDelivery,
  listDeliveries,
  replayDeliveries,
} from '../../inbox/deliveries.ts';
import { listDeliveriesOf } from '../../inbox/deliveries-of-person.ts';
import { findJob, runJobWithinCall, startReplay } from '../../jobs/jobs.ts';
import { isoOf } from '../iso.ts';
import { acceptedJob, shownJob } from './jobs.ts';
import type { Call, Operations, Sources } from './operation.ts';
import { cursorPlace, isSerial, readCursor, readPage, toCursor } from './paging.ts';

export function deliveryOperations({ sql, clock, random }: Sources) {
  const toPlace = cursorPlace({ deliveryId: isSerial });
  const findOwn = async ({
    bot: { botId },
    params: { deliveryId },
  }: Pick<Call<'getDelivery'>, 'bot' | 'params'>) => {
    const delivery = await findDelivery(sql, botId, deliveryId);
    if (delivery) return delivery;
    throw new Refusal('DELIVERY_NOT_FOUND', `Bot ${botId} has no delivery ${deliveryId}.`);
  };
  return {
    async listDeliveries({ bot: { botId }, query }) {
      const { state = null, contactId, cursor, limit } = query;
      if (contactId !== undefined) {
        const person = await requirePerson(sql, botId, contactId);
        const beforeId = readCursor(cursor, toPlace)?.deliveryId ?? null;
        const page = await listDeliveriesOf(sql, botId, person, { state, limit, beforeId });
        const { nextBeforeId } = page;
        const nextCursor = nextBeforeId === null ? null : toCursor({ deliveryId: nextBeforeId });
        return { deliveries: page.deliveries.map(toDelivery), nextCursor };
      }
      const { rows, nextCursor } = await readPage(query, toPlace, ({ after, limit }) =>
        listDeliveries(sql, botId, { state, limit, beforeId: after?.deliveryId ?? null }),
      );
      return { deliveries: rows.map(toDelivery), nextCursor };
    },
    getDelivery: async (call) => toDelivery(await findOwn(call)),
    async getDeliveryBody(call) {
      const { body: content } = await findOwn(call);
      // A browser must not show what a delivery contains.
      return { type: 'application/octet-stream', fileName: 'body', content };
    },
    async replayDelivery(call) {
      const { deliveryId } = await findOwn(call);
      return { replayed: await sql.begin((tx) => replayDeliveries(tx, call.bot.botId, [deliveryId])) };
    },
    async replaySetAside({ bot: { botId } }) {
      const job = await startReplay(sql, botId, { clock, random });
      const { state, done: replayed } = await runJobWithinCall(sql, job, { clock, random });
      if (state === 'done') return { replayed };
      const running = await findJob(sql, job);
      return acceptedJob(running, { replayed, job: shownJob(running) });
    },
  } satisfies Partial<Operations>;
}

function toDelivery({ deliveryId, platform, receivedAt, bytes, state, reason }: ListedDelivery) {
  return { deliveryId, platform, receivedAt: isoOf(receivedAt), bytes, state, reason };
}
