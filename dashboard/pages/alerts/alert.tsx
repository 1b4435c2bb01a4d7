/** The parts of alerts that several cards show. */
import type { Schema } from '../../api/client.ts';
import { PlatformName } from '../../components/platform-name.tsx';
import { number, unknown } from '../../format/format.ts';
import { isPlatformName } from '../../format/platforms.ts';
import { t } from '../../texts/alerts.ts';

export type Rule = Schema['AlertRule'];
export type RuleName = Rule['rule'];
export type Target = Schema['AlertTarget'];
export type Alert = Schema['Alert'];

/** The units of the rules, as `listAlertRules` returns them. */
const units: Record<RuleName, Rule['unit']> = {
  'no-delivery': 'hours',
  'wrong-signatures': 'count',
  'collection-stopped': 'none',
  'quota-used': 'percent',
  'quota-full': 'percent',
  'quota-expected': 'percent',
  backlog: 'seconds',
  'webhook-given-up': 'count',
  'token-expiring': 'days',
  'followers-falling': 'percent',
  blocks: 'count',
};

function isRule(name: string): name is RuleName {
  return Object.hasOwn(units, name);
}

/** The name of a rule, or of a test. */
export function ruleTitle(name: string): string {
  return isRule(name) ? t(`rule-${name}`) : name === 'test' ? t('rule-test') : name;
}

/** A number in the unit of the rule. */
export function inUnit(name: string, value: number): string {
  const unit = isRule(name) ? units[name] : 'none';
  return unit === 'none' ? unknown : t(`unit-${unit}`, { number: number(value) });
}

export function Subject({ subject }: { subject: string }) {
  return isPlatformName(subject) ? <PlatformName platform={subject} /> : <span>{unknown}</span>;
}
