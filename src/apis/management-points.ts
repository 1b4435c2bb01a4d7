/**
 * Operations on points: a contact's balance, and changes of it. Each change is one line of the table below; its key is the header
 * `Idempotency-Key`, so a repeat is answered from the ledger and says so.
 */
import { findContact } from '../events/contacts.ts';
import type { JsonObject } from '../json.ts';
import { availablePoints } from '../points/balances.ts';
import { earn, type PointResult, spend } from '../points/ledger.ts';
import {
  contactIdOf,
  instantOf,
  isoOf,
  type ManagementCall,
  type ManagementOperation,
  type ManagementOperations,
  type ManagementSources,
} from './management-call.ts';

/** What every change is asked with. */
type Write = { botId: string; contactId: string; key: string };
type Change = (write: Write, body: JsonObject, at: { now: number }) => Promise<PointResult>;

export function pointOperations({ sql, clock }: ManagementSources): ManagementOperations {
  const changes: Record<string, Change> = {
    earnPoints: (write, body, at) =>
      earn(sql, { ...write, amount: Number(body.amount), expiresAt: instantOf(body.expiresAt) }, at),
    spendPoints: (write, body, at) => spend(sql, { ...write, amount: Number(body.amount) }, at),
  };
  const toOperation =
    (change: Change): ManagementOperation =>
    async (call) => {
      const { contactId } = await findContact(sql, call.bot.botId, contactIdOf(call));
      const write = { botId: call.bot.botId, contactId, key: call.idempotencyKey };
      const result = await change(write, call.body, { now: clock() });
      call.tellReplayed(result.repeated);
      return toChange(result);
    };
  return {
    async getPoints(call: ManagementCall) {
      const { botId } = call.bot;
      const { contactId } = await findContact(sql, botId, contactIdOf(call));
      const points = await availablePoints(sql, { botId, contactIds: [contactId], now: clock() });
      return { contactId, available: points.get(contactId) ?? 0 };
    },
    ...Object.fromEntries(Object.entries(changes).map(([id, change]) => [id, toOperation(change)])),
  };
}

function toChange({ contactId, kind, amount, available, at }: PointResult) {
  return { contactId, kind, amount, available, at: isoOf(at) };
}
