/**
 * Operations on deliveries: what came in, what was set aside and why, and the way back for it.
 */

import { requirePerson } from '../../contacts/contacts.ts';
import { Refusal } from '../../errors.ts';
import {
  type DeliveryState,
  findDelivery,
  type ListedDelivery,
  listDeliveries,
  replayDeliveries,
} from '../../inbox/deliveries.ts';
import { listDeliveriesOf } from '../../inbox/deliveries-of-person.ts';
import { findJob, runJobWithinCall, startReplay } from '../../jobs/jobs.ts';
import { textOf } from '../../json.ts';
import {
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
  toCursor,
} from './call.ts';
import { acceptedJob } from './jobs.ts';

const states: readonly DeliveryState[] = ['pending', 'folded', 'set-aside'];

export function deliveryOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  const find = async ({ bot: { botId }, params }: ManagementCall) => {
    const found = await findDelivery(sql, botId, Number(params.deliveryId));
    if (found) return found;
    throw new Refusal('DELIVERY_NOT_FOUND', `Bot ${botId} has no delivery ${params.deliveryId}.`);
  };
  return {
    async listDeliveries({ bot: { botId }, query }) {
      const limit = limitOf(query);
      const state = states.find((name) => name === query.state) ?? null;
      const beforeId = readCursor(query, (place) =>
        Number.isSafeInteger(place.deliveryId) ? Number(place.deliveryId) : null,
      );
      const contactId = textOf(query.contactId);
      if (contactId !== undefined) {
        const person = await requirePerson(sql, botId, contactId);
        const page = await listDeliveriesOf(sql, botId, person, { state, limit, beforeId });
        const { nextBeforeId } = page;
        const nextCursor = nextBeforeId === null ? null : toCursor({ deliveryId: nextBeforeId });
        return { deliveries: page.deliveries.map(toDelivery), nextCursor };
      }
      const found = await listDeliveries(sql, botId, { state, limit: limit + 1, beforeId });
      const { rows, nextCursor } = pageOf(found, limit, ({ deliveryId }) => ({ deliveryId }));
      return { deliveries: rows.map(toDelivery), nextCursor };
    },
    getDelivery: async (call) => toDelivery(await find(call)),
    getDeliveryBody: async (call) => Buffer.from((await find(call)).body),
    async replayDelivery(call) {
      const { deliveryId } = await find(call);
      return { replayed: await replayDeliveries(sql, call.bot.botId, [deliveryId]) };
    },
    async replaySetAside({ bot: { botId } }) {
      const job = await startReplay(sql, botId, { clock, random });
      const { state, done } = await runJobWithinCall(sql, job, { clock, random });
      return state === 'done' ? { replayed: done } : acceptedJob(await findJob(sql, job), { replayed: done });
    },
  };
}

function toDelivery({ deliveryId, platform, receivedAt, bytes, state, reason }: ListedDelivery) {
  return { deliveryId, platform, receivedAt: receivedAt.toISOString(), bytes, state, reason };
}
