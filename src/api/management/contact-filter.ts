/**
 * The filter of contacts in a query: the same parameters for the list, its count and exports.
 */
import { activeBetween, addedBetween, anyContact, type ContactFilter } from '../../contacts/filter.ts';
import { Refusal } from '../../errors.ts';
import { zoneOf } from './days.ts';
import type { Call } from './operation.ts';

/** The days of the ranges are the bot's, or those of the call's zone. Throws Refusal INPUT_INVALID. */
export function filterOf(call: Pick<Call<'countContacts'>, 'bot' | 'query'>): ContactFilter {
  const { zone: _, createdFrom, createdTo, activeFrom, activeTo, ...conditions } = call.query;
  const { pointsMin, pointsMax } = conditions;
  if (pointsMin !== undefined && pointsMax !== undefined && pointsMin > pointsMax)
    throw new Refusal('INPUT_INVALID', `pointsMin must not be above pointsMax, ${pointsMax}.`);
  const zone = zoneOf(call);
  const names = Object.keys(anyContact) as (keyof ContactFilter)[];
  const sent = Object.entries(conditions).filter(([name]) => names.some((one) => one === name));
  return {
    ...anyContact,
    ...Object.fromEntries(sent),
    ...addedBetween({ createdFrom, createdTo }, zone),
    ...activeBetween({ activeFrom, activeTo }, zone),
  };
}
