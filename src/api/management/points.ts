/**
 * Operations on points: balances, history, expiry and changes. The key of a change is the header `Idempotency-Key`. A repeated
 * change is answered from the ledger.
 */
import { findContact } from '../../contacts/contacts.ts';
import { periodsOf } from '../../periods.ts';
import { availablePoints, expiringByDay, expiringLots, pointsAt } from '../../points/balances.ts';
import { batchedWrites } from '../../points/batched-writes.ts';
import { earnMany } from '../../points/bulk.ts';
import type { PointChange } from '../../points/change.ts';
import { type HistoryEntry, history } from '../../points/history.ts';
import { type PointPeriods, readPointPeriods } from '../../points/point-periods.ts';
import { addDays, dayOf } from '../../time.ts';
import { isoOf, isoOrNull, msOf } from '../iso.ts';
import { findAllContacts } from './contacts.ts';
import { daysOf, daysShown, instantsOf, zoneOf } from './days.ts';
import { type Body, type Call, listBytesMax, type Operations, type Sources } from './operation.ts';
import { cursorPlace, isDigits, readCursor, toCursor } from './paging.ts';

const periodsMax = 3_700;

export function pointOperations(sources: Sources) {
  return { ...readOperations(sources), ...changeOperations(sources) };
}

function readOperations({ sql, clock }: Sources) {
  return {
    async getPoints({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const available = await availablePoints(sql, { botId, contactIds: [contactId], now: clock() });
      const answer = { contactId, available: available.get(contactId) ?? 0 };
      const at = msOf(query.at);
      if (at === null) return answer;
      return { ...answer, at: isoOf(at), availableAt: await pointsAt(sql, { botId, contactId, at }) };
    },
    async listPointEntries({ bot: { botId }, params, query: { cursor, limit } }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const before = readCursor(cursor, cursorPlace({ entryId: isDigits }))?.entryId ?? null;
      const { entries, next } = await history(sql, { botId, contactId, limit, before });
      const nextCursor = next === null ? null : toCursor({ entryId: next });
      return { contactId, entries: entries.map(toEntry), nextCursor };
    },
    async listExpiringPoints(call) {
      const { botId } = call.bot;
      const { contactId } = await findContact(sql, botId, call.params.contactId);
      const { days, instants } = rangeOf(call, clock());
      const lots = await expiringLots(sql, { botId, contactId, now: clock(), ...instants });
      const expiring = lots.map(({ amount, expiresAt }) => ({ amount, expiresAt: isoOf(expiresAt) }));
      return { contactId, ...days, expiring };
    },
    async listExpiringDays(call) {
      const { botId } = call.bot;
      const { days, instants } = rangeOf(call, clock());
      const range = { botId, zone: days.zone, now: clock(), ...instants };
      return { ...days, expiring: await expiringByDay(sql, range) };
    },
    async getPointSeries(call) {
      const { bot } = call;
      const { by } = call.query;
      const now = clock();
      const days = daysOf(call, { zone: bot.timeZone, now, daysMax: periodsMax });
      const periods = periodsOf({ ...days, by });
      const starts = [...periods.map(({ first }) => first), addDays(days.to, 1)];
      const sums = await readPointPeriods(sql, bot, { days: starts, now });
      return {
        ...{ botId: bot.botId, ...days, by, before: sums.before },
        periods: sums.periods.flatMap((sum, index) => {
          const period = periods[index];
          return period ? [{ ...period, ...sum }] : [];
        }),
        totals: totalsOf(sums),
      };
    },
  } satisfies Partial<Operations>;
}

type ChangeCall<Body> = Pick<Call<'earnPoints'>, 'bot' | 'params' | 'headers' | 'setReplayed'> & {
  body: Body;
};
type ChangeTarget = { contactId: string; key: string };

function changeOperations({ sql, clock }: Sources) {
  const write = batchedWrites(sql);
  const change =
    <Body>(toChange: (target: ChangeTarget, body: Body) => PointChange) =>
    async ({ bot: { botId }, params, body, headers, setReplayed }: ChangeCall<Body>) => {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const pointChange = toChange({ contactId, key: headers['idempotency-key'] }, body);
      if (pointChange.kind === 'transfer') {
        const receiver = await findContact(sql, botId, pointChange.toContactId);
        pointChange.toContactId = receiver.contactId;
      }
      const { repeated, at, ...result } = await write(botId, pointChange, { now: clock() });
      setReplayed(repeated);
      return { ...result, at: isoOf(at) };
    };
  return {
    earnPoints: change((target, { amount, expiresAt }: Body<'earnPoints'>) => ({
      ...{ ...target, kind: 'earn', amount, expiresAt: msOf(expiresAt) },
    })),
    spendPoints: change((target, { amount }: Body<'spendPoints'>) => ({ ...target, kind: 'spend', amount })),
    transferPoints: change((target, { toContactId, amount }: Body<'transferPoints'>) => ({
      ...{ ...target, kind: 'transfer', toContactId, amount },
    })),
    adjustPoints: change((target, { amount, expiresAt, reason }: Body<'adjustPoints'>) => ({
      ...{ ...target, kind: 'adjust', amount, expiresAt: msOf(expiresAt), reason },
    })),
    reversePoints: change((target, { entryId }: Body<'reversePoints'>) => ({
      ...{ ...target, kind: 'reverse', entryId },
    })),
    clearPoints: change((target) => ({ ...target, kind: 'clear' })),
    earnManyPoints: {
      bodyBytesMax: listBytesMax,
      async answer({ bot: { botId }, body, headers, setReplayed }) {
        const ids = body.earnings.map(({ contact }) => contact);
        const contactIds = await findAllContacts(sql, botId, ids);
        const earnings = body.earnings.map(({ amount, expiresAt }, index) => ({
          ...{ contactId: contactIds[index] ?? '', amount, expiresAt: msOf(expiresAt) },
        }));
        const key = headers['idempotency-key'];
        const { repeated, entries, points, at } = await earnMany(
          sql,
          { botId, key, earnings },
          { now: clock() },
        );
        setReplayed(repeated);
        return { entries, points, at: isoOf(at) };
      },
    },
  } satisfies Partial<Operations>;
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

function toEntry({ entryId, kind, amount, balanceAfter, key, reason, reverses, ...entry }: HistoryEntry) {
  return {
    ...{ entryId, kind, amount, balanceAfter, key, reason, reverses, reversedBy: entry.reversedBy },
    expiresAt: isoOrNull(entry.expiresAt),
    parts: entry.parts?.map((part) => ({ ...part, expiresAt: isoOrNull(part.expiresAt) })) ?? null,
    counterpartId: entry.pair?.contactId ?? null,
    createdAt: isoOf(entry.createdAt),
  };
}

/** The call's days; by default the next 30. */
function rangeOf(call: Pick<Call<'listExpiringDays'>, 'bot' | 'query'>, now: number) {
  const zone = zoneOf(call);
  const { from = dayOf(now, zone), to = addDays(from, daysShown - 1) } = call.query;
  const days = daysOf({ query: { from, to } }, { zone, now });
  const { from: start, until } = instantsOf(days);
  return { days, instants: { from: start, to: until } };
}
