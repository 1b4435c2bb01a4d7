/**
 * The rules of alerts, with their defaults. A bot stores only what differs (rule-rows.ts).
 *
 * A reading of a rule is a number. The alert begins when the number reaches the threshold. It is calm again when the number has passed
 * the calm level, which is further away, so that a number near the threshold does not begin and end an alert again and again.
 */

/** Local hours, from 0 to 24, and days of the week (1: Monday, 7: Sunday). */
export type BusinessHours = { from: number; until: number; weekdays: readonly number[] };

export type RuleSettings = {
  enabled: boolean;
  threshold: number;
  /** Null: the rule does not count business hours. */
  hours: BusinessHours | null;
};

type Unit = 'hours' | 'count' | 'percent' | 'seconds' | 'days' | 'none';

type RuleFacts = {
  unit: Unit;
  threshold: number;
  min: number;
  max: number;
  /** The cause is gone: the reading is below this (`isFalling`: above). */
  calm(threshold: number): number;
  /** The alert begins when the reading falls to the threshold. */
  isFalling?: true;
  hours?: BusinessHours;
};

const half = (threshold: number) => threshold / 2;
const same = (threshold: number) => threshold;
const fivePointsLower = (percent: number) => percent - 5;
/** Whether something is so: 1 or 0. */
const state = { unit: 'none', threshold: 1, min: 1, max: 1, calm: same } as const;

export const rules = {
  /** Business hours without a delivery, of a channel that had one. */
  'no-delivery': {
    ...{ unit: 'hours', threshold: 12, min: 1, max: 168, calm: same },
    hours: { from: 9, until: 21, weekdays: [1, 2, 3, 4, 5, 6, 7] },
  },
  /** Requests with a wrong signature in the current hour and the one before it. */
  'wrong-signatures': { unit: 'count', threshold: 10, min: 1, max: 1_000_000, calm: half },
  /** The platform refuses the access token, or the secret key cannot decrypt it. */
  'collection-stopped': state,
  /** The used part of LINE's monthly quota. */
  'quota-used': { unit: 'percent', threshold: 80, min: 1, max: 99, calm: fivePointsLower },
  'quota-full': { unit: 'percent', threshold: 100, min: 100, max: 100, calm: fivePointsLower },
  /** The expected use at the end of the month, as a part of the quota. */
  'quota-expected': { unit: 'percent', threshold: 100, min: 50, max: 1_000, calm: fivePointsLower },
  /** The age of the oldest delivery that waits. */
  backlog: { unit: 'seconds', threshold: 60, min: 10, max: 86_400, calm: half },
  /** Outgoing webhooks that were given up within 24 hours. */
  'webhook-given-up': { unit: 'count', threshold: 1, min: 1, max: 1_000_000, calm: same },
  /** Days until an access token expires. */
  'token-expiring': { unit: 'days', threshold: 7, min: 1, max: 60, calm: same, isFalling: true },
  /** The part of its followers that a channel has lost today. */
  'followers-falling': { unit: 'percent', threshold: 5, min: 1, max: 100, calm: half },
  /** New blocks of today. */
  blocks: { unit: 'count', threshold: 100, min: 1, max: 10_000_000, calm: half },
} as const satisfies Record<string, RuleFacts>;

export type RuleName = keyof typeof rules;
export const ruleNames = Object.keys(rules) as RuleName[];

export function factsOf(rule: RuleName): RuleFacts {
  return rules[rule];
}

export function defaultOf(rule: RuleName): RuleSettings {
  const { threshold, hours = null } = factsOf(rule);
  return { enabled: true, threshold, hours };
}

export function isRuleName(name: string): name is RuleName {
  return Object.hasOwn(rules, name);
}

/** A number of a rule, for one platform or for the whole bot (`subject` empty). */
export type Reading = { rule: RuleName; subject: string; value: number };

export function reaches({ rule, value }: Reading, threshold: number): boolean {
  return factsOf(rule).isFalling ? value <= threshold : value >= threshold;
}

/** Whether the cause of a running alert is gone. */
export function isCalm({ rule, value }: Reading, threshold: number): boolean {
  const { calm, isFalling } = factsOf(rule);
  return isFalling ? value > calm(threshold) : value < calm(threshold);
}
