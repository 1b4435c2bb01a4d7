/**
 * Operations on points: balances, history, what runs out, and changes. A change is one line of the table `changes`; its key is the
 * header `Idempotency-Key`, so a repeat is answered from the ledger and says so.
 */

import { findContact } from '../../contacts/contacts.ts';
import { Refusal } from '../../errors.ts';
import { isObject, type JsonObject, textOf } from '../../json.ts';
import { periodsOf, periodUnits } from '../../periods.ts';
import { availablePoints, expiringByDay, expiringOf, pointsAt } from '../../points/balances.ts';
import { earnMany } from '../../points/bulk.ts';
import type { PointChange } from '../../points/change.ts';
import { type HistoryEntry, history } from '../../points/history.ts';
import type { PointResult } from '../../points/ledger.ts';
import { type PointPeriods, readPointPeriods } from '../../points/point-periods.ts';
import { sharedWrites } from '../../points/shared-writes.ts';
import { addDays, dayOf, dayStart } from '../../time.ts';
import {
  contactIdOf,
  daysOf,
  findAllContacts,
  instantOf,
  isoOf,
  isoOrNull,
  limitOf,
  type ManagementCall,
  type ManagementOperation,
  type ManagementOperations,
  type ManagementSources,
  readCursor,
  toCursor,
  zoneOf,
} from './call.ts';

/** What a change is asked with; the contract has checked it. */
type Asked = { contactId: string; key: string; amount: number; expiresAt: number | null; body: JsonObject };

const changes: Record<string, (asked: Asked) => PointChange> = {
  earnPoints: ({ contactId, key, amount, expiresAt }) => ({
    kind: 'earn',
    contactId,
    key,
    amount,
    expiresAt,
  }),
  spendPoints: ({ contactId, key, amount }) => ({ kind: 'spend', contactId, key, amount }),
  transferPoints: ({ contactId, key, amount, body }) => ({
    ...{ kind: 'transfer', contactId, key, amount },
    toContactId: String(body.toContactId),
  }),
  adjustPoints: ({ contactId, key, amount, expiresAt, body }) => ({
    ...{ kind: 'adjust', contactId, key, amount, expiresAt },
    reason: String(body.reason),
  }),
  reversePoints: ({ contactId, key, body }) => ({
    ...{ kind: 'reverse', contactId, key },
    entryId: String(body.entryId),
  }),
  clearPoints: ({ contactId, key }) => ({ kind: 'clear', contactId, key }),
};

const daysShown = 30;
const periodsMax = 3_700;

export function pointOperations({ sql, clock }: ManagementSources): ManagementOperations {
  const write = sharedWrites(sql);
  const toOperation =
    (toPointChange: (asked: Asked) => PointChange): ManagementOperation =>
    async (call) => {
      const { bot, body, idempotencyKey: key } = call;
      const { contactId } = await findContact(sql, bot.botId, contactIdOf(call));
      const asked = {
        contactId,
        key,
        body,
        amount: Number(body.amount),
        expiresAt: instantOf(body.expiresAt),
      };
      const change = toPointChange(asked);
      if (change.kind === 'transfer') {
        change.toContactId = (await findContact(sql, bot.botId, change.toContactId)).contactId;
      }
      const result = await write(bot.botId, change, { now: clock() });
      call.tellReplayed(result.repeated);
      return toChange(result);
    };
  return {
    ...Object.fromEntries(Object.entries(changes).map(([id, change]) => [id, toOperation(change)])),
    async getPoints(call) {
      const { botId } = call.bot;
      const { contactId } = await findContact(sql, botId, contactIdOf(call));
      const now = clock();
      const at = instantOf(call.query.at);
      const points = at === null ? null : await pointsAt(sql, { botId, contactId, at });
      const available = (await availablePoints(sql, { botId, contactIds: [contactId], now })).get(contactId);
      return {
        contactId,
        available: available ?? 0,
        ...(at === null ? {} : { at: isoOf(at), availableAt: points }),
      };
    },
    async listPointEntries(call) {
      const { bot, query } = call;
      const { contactId } = await findContact(sql, bot.botId, contactIdOf(call));
      const before = readCursor(query, ({ entryId }) =>
        typeof entryId === 'string' && /^\d{1,18}$/.test(entryId) ? entryId : null,
      );
      const page = { botId: bot.botId, contactId, limit: limitOf(query), before };
      const { entries, next } = await history(sql, page);
      return {
        contactId,
        entries: entries.map(toEntry),
        nextCursor: next === null ? null : toCursor({ entryId: next }),
      };
    },
    async listExpiringPoints(call) {
      const { botId } = call.bot;
      const { contactId } = await findContact(sql, botId, contactIdOf(call));
      const range = rangeOf(call, clock());
      const lots = await expiringOf(sql, { botId, contactId, now: clock(), ...range.instants });
      const expiring = lots.map(({ amount, expiresAt }) => ({ amount, expiresAt: isoOf(expiresAt) }));
      return { contactId, ...range.days, expiring };
    },
    async listExpiringDays(call) {
      const { botId } = call.bot;
      const { days, instants } = rangeOf(call, clock());
      const read = { botId, zone: days.zone, now: clock(), ...instants };
      return { ...days, expiring: await expiringByDay(sql, read) };
    },
    async getPointSeries(call) {
      const { bot } = call;
      const { botId } = bot;
      const now = clock();
      const days = daysOf(call, { zone: bot.timeZone, now, daysMax: periodsMax });
      const by = periodUnits.find((unit) => unit === call.query.by) ?? 'day';
      const periods = periodsOf({ ...days, by });
      const starts = [...periods.map(({ first }) => first), addDays(days.to, 1)];
      const read = await readPointPeriods(sql, bot, { days: starts, now });
      const told = periods.map((period, index) => ({ ...period, ...read.periods[index] }));
      return { botId, ...days, by, before: read.before, periods: told, totals: totalsOf(read) };
    },
    async earnManyPoints(call) {
      const { bot, body, idempotencyKey: key } = call;
      const lines = Array.isArray(body.earnings) ? body.earnings.filter(isObject) : [];
      const contactIds = await findAllContacts(
        sql,
        bot.botId,
        lines.map(({ contact }) => String(contact)),
      );
      const earnings = lines.map(({ amount, expiresAt }, index) => ({
        ...{ contactId: contactIds[index] ?? '', amount: Number(amount) },
        expiresAt: instantOf(expiresAt),
      }));
      const result = await earnMany(sql, { botId: bot.botId, key, earnings }, { now: clock() });
      call.tellReplayed(result.repeated);
      return { entries: result.entries, points: result.points, at: isoOf(result.at) };
    },
  };
}

function totalsOf({ before, periods }: PointPeriods) {
  const sum = (name: 'earned' | 'spent' | 'corrected' | 'expired') =>
    periods.reduce((sum, period) => sum + period[name], 0);
  const outstanding = periods.findLast((period) => period.outstanding !== null)?.outstanding ?? before;
  return {
    earned: sum('earned'),
    spent: sum('spent'),
    corrected: sum('corrected'),
    expired: sum('expired'),
    outstanding,
  };
}

function toChange({ contactId, entryId, kind, amount, available, counterpartId, at }: PointResult) {
  return { contactId, entryId, kind, amount, available, counterpartId, at: isoOf(at) };
}

function toEntry({ entryId, kind, amount, balanceAfter, key, reason, reverses, ...entry }: HistoryEntry) {
  return {
    ...{ entryId, kind, amount, balanceAfter, key, reason, reverses, reversedBy: entry.reversedBy },
    expiresAt: isoOrNull(entry.expiresAt),
    parts: entry.parts?.map((part) => ({ ...part, expiresAt: isoOrNull(part.expiresAt) })) ?? null,
    counterpartId: entry.pair?.contactId ?? null,
    createdAt: isoOf(entry.createdAt),
  };
}

/** The days asked for; left out: the 30 days from today on. */
function rangeOf(call: ManagementCall, now: number) {
  const zone = zoneOf(call);
  const from = textOf(call.query.from) ?? dayOf(now, zone);
  const to = textOf(call.query.to) ?? addDays(from, daysShown - 1);
  if (from > to) throw new Refusal('INPUT_INVALID', `from must not lie after to, ${to}.`);
  const instants = { from: dayStart(from, zone), to: dayStart(addDays(to, 1), zone) };
  return { days: { zone, from, to }, instants };
}
