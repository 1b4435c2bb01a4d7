/**
 * `shoal alerts`: the log of alerts, their rules and targets, and tests of targets.
 */
import { InvalidArgumentError } from 'commander';
import { type Alert, listAlerts, type Report, reportTest } from '../alerts/log.ts';
import { readSettings, setRule } from '../alerts/rule-rows.ts';
import { factsOf, type RuleName, type RuleSettings, ruleNames } from '../alerts/rules.ts';
import {
  createTarget,
  type Language,
  languages,
  listTargets,
  removeTarget,
  type TargetKind,
  targetKinds,
} from '../alerts/targets.ts';
import { findBot } from '../bots/bots.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { renderLine, renderList, type ShoalCommand, wholeNumber } from './command.ts';
import type { Context } from './context.ts';

export type AlertsContext = Pick<Context, 'withDatabase' | 'clock' | 'random' | 'out' | 'keys' | 'config'>;

const listMax = 100;

/** Adds the commands. */
export function register(program: ShoalCommand, context: AlertsContext): void {
  const alerts = program.add('alerts', 'Alerts of a bot: log, rules, targets, tests.');
  alerts
    .addForBot('list', 'List the latest 100 alerts with their reports, newest first.')
    .choice('--state <state>', 'only these', ['running', 'ended'])
    .answer((botId: string, { state }: { state?: string }) => async (sql) => {
      await findBot(sql, botId);
      const isRunning = state === undefined ? null : state === 'running';
      const list = await listAlerts(sql, botId, { isRunning, limit: listMax, beforeId: null });
      return { json: { botId, alerts: list }, text: renderList(list, renderAlert) };
    });
  addRules(alerts, context);
  addTargets(alerts, context);
}

type RuleOptions = {
  on?: boolean;
  off?: boolean;
  threshold?: number;
  hours?: { from: number; until: number };
  weekdays?: number[];
};

function addRules(alerts: ShoalCommand, { clock }: AlertsContext): void {
  alerts
    .addForBot('rules', 'List the rules with their thresholds.')
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const settings = await readSettings(sql, botId);
      const rules = ruleNames.map((rule) => ({ rule, ...settings(botId, rule) }));
      return { json: { botId, rules }, text: renderList(rules, renderRule) };
    });
  alerts
    .addForBot('set', 'Change a rule. Options that are left out stay.')
    .argument('<rule>', 'a name of `shoal alerts rules`', readRule)
    .option('--on', 'turn the rule on')
    .option('--off', 'turn the rule off; its alerts end')
    .option('--threshold <number>', 'the number at which the alert begins', wholeNumber)
    .option('--hours <from-until>', 'no-delivery: the business hours, such as 9-18', readHours)
    .option('--weekdays <days>', 'no-delivery: the days of the week, such as 1,2,3,4,5 (1: Monday)', readDays)
    .answer(
      (botId: string, rule: RuleName, { on, off, threshold, hours, weekdays }: RuleOptions) =>
        async (sql) => {
          const before = (await readSettings(sql, botId))(botId, rule).hours;
          const isAnyHour = hours !== undefined || weekdays !== undefined;
          const changed = await sql.begin((tx) =>
            setRule(tx, {
              ...{ botId, rule, threshold, now: clock() },
              enabled: off ? false : on ? true : undefined,
              hours: isAnyHour
                ? {
                    ...(hours ?? before ?? { from: 0, until: 24 }),
                    weekdays: weekdays ?? before?.weekdays ?? [],
                  }
                : undefined,
            }),
          );
          return { json: { botId, rule, ...changed }, text: renderRule({ rule, ...changed }) };
        },
    );
}

function addTargets(alerts: ShoalCommand, context: AlertsContext): void {
  const { clock, random, keys, config } = context;
  alerts.addForBot('targets', 'List the targets.').answer((botId: string) => async (sql) => {
    await findBot(sql, botId);
    const targets = await listTargets(sql, botId);
    const text = renderList(targets, ({ targetId, kind, address, language }) =>
      renderLine(targetId, kind, language, address),
    );
    return { json: { botId, targets }, text };
  });
  alerts
    .addForBot('add', 'Add a target. Shows the signing secret with the first webhook, only once.')
    .argument('<kind>', targetKinds.join(', '), readKind)
    .argument('<address>', "e-mail address, URL, or LINE's id of a user, group or room")
    .choice('--language <language>', 'of the texts', languages, 'en')
    .answer((botId: string, kind: TargetKind, address: string, { language }: { language: Language }) => {
      const gate = openGate({ allowPrivate: config().callbackPrivate });
      return async (sql) => {
        const making = { gate, keys: await keys(sql), random, now: clock() };
        const { target, secret } = await createTarget(sql, { botId, kind, address, language }, making);
        const shown = secret === null ? '' : ` Secret, shown only once: ${secret}`;
        return { json: { botId, target, secret }, text: `Target ${target.targetId} added.${shown}` };
      };
    });
  alerts
    .addForBot('remove', 'Remove a target and its reports.')
    .argument('<target>', 'number of the target', wholeNumber)
    .answer((botId: string, targetId: number) => async (sql) => {
      await removeTarget(sql, botId, targetId);
      return { json: { botId, targetId, removed: true }, text: 'Removed.' };
    });
  alerts
    .addForBot(
      'test',
      'Let the running server send a test to a target. `shoal alerts list` shows the result.',
    )
    .argument('<target>', 'number of the target', wholeNumber)
    .answer((botId: string, targetId: number) => async (sql) => {
      const alertId = await reportTest(sql, { botId, targetId, now: clock() });
      return { json: { botId, targetId, alertId }, text: `The test is queued as alert ${alertId}.` };
    });
}

function renderAlert({
  alertId,
  rule,
  subject,
  value,
  beganAt,
  endedAt,
  reports,
}: Alert & { reports: Report[] }): string {
  const line = renderLine(
    alertId,
    rule,
    subject,
    rule !== 'test' && value,
    ['since', beganAt],
    ['until', endedAt],
  );
  const sent = reports.map(({ kind, address, phase, state, problem }) =>
    renderLine('   ', phase, state, kind, address, problem),
  );
  return [line, ...sent].join('\n');
}

function renderRule({ rule, enabled, threshold, hours }: RuleSettings & { rule: RuleName }): string {
  const { unit } = factsOf(rule);
  return renderLine(
    ...[rule, enabled ? 'on' : 'off', unit !== 'none' && `${threshold} ${unit}`],
    hours && `${hours.from}-${hours.until} on days ${hours.weekdays.join(',')}`,
  );
}

function readRule(text: string): RuleName {
  const rule = ruleNames.find((name) => name === text);
  if (rule) return rule;
  throw new InvalidArgumentError(`Must be one of ${ruleNames.join(', ')}.`);
}

function readKind(text: string): TargetKind {
  const kind = targetKinds.find((name) => name === text);
  if (kind) return kind;
  throw new InvalidArgumentError(`Must be one of ${targetKinds.join(', ')}.`);
}

function readHours(text: string): { from: number; until: number } {
  const [, from, until] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  if (from !== undefined && until !== undefined && Number(from) < Number(until) && Number(until) <= 24)
    return { from: Number(from), until: Number(until) };
  throw new InvalidArgumentError('Must be two hours, such as 9-18.');
}

function readDays(text: string): number[] {
  const days = text.split(',').map(Number);
  if (days.every((day) => Number.isInteger(day) && day >= 1 && day <= 7)) return [...new Set(days)].sort();
  throw new InvalidArgumentError('Must be days of the week from 1 to 7, such as 1,2,3,4,5.');
}
