/**
 * Operations on alerts: the log, the rules, and the targets. Only the answer that creates the signing secret contains it.
 */
import { listAlerts, reportTest } from '../../alerts/log.ts';
import { readSettings, setRule } from '../../alerts/rule-rows.ts';
import { factsOf, type RuleName, type RuleSettings, ruleNames } from '../../alerts/rules.ts';
import { createTarget, listTargets, removeTarget } from '../../alerts/targets.ts';
import { withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

export function alertOperations({ sql, gate, clock, random, keys }: Sources) {
  return {
    async listAlerts({ bot: { botId }, query }) {
      const isRunning = query.state === undefined ? null : query.state === 'running';
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ alertId: isSerial }),
        ({ after, limit }) => listAlerts(sql, botId, { isRunning, limit, beforeId: after?.alertId ?? null }),
      );
      const alerts = rows.map(({ reports, ...alert }) => ({
        ...withIsoDates(alert),
        reports: reports.map(withIsoDates),
      }));
      return { alerts, nextCursor };
    },
    async listAlertRules({ bot: { botId } }) {
      const settings = await readSettings(sql, botId);
      return { rules: ruleNames.map((rule) => toRule(rule, settings(botId, rule))) };
    },
    async updateAlertRule({ bot: { botId }, params: { rule }, body }) {
      return toRule(rule, await sql.begin((tx) => setRule(tx, { botId, rule, now: clock(), ...body })));
    },
    async listAlertTargets({ bot: { botId } }) {
      return { targets: (await listTargets(sql, botId)).map(withIsoDates) };
    },
    async createAlertTarget({ bot: { botId }, body: { kind, address, language = 'en' } }) {
      const making = { gate, keys, random, now: clock() };
      const { target, secret } = await createTarget(sql, { botId, kind, address, language }, making);
      return { target: withIsoDates(target), secret };
    },
    async removeAlertTarget({ bot: { botId }, params: { targetId } }) {
      await removeTarget(sql, botId, targetId);
    },
    async testAlertTarget({ bot: { botId }, params: { targetId } }) {
      const test = { botId, targetId, now: clock() };
      return { alertId: await sql.begin((tx) => reportTest(tx, test)) };
    },
  } satisfies Partial<Operations>;
}

function toRule(rule: RuleName, { enabled, threshold, hours }: RuleSettings) {
  const { unit, threshold: defaultThreshold, min, max } = factsOf(rule);
  return {
    ...{ rule, enabled, threshold, unit, defaultThreshold, min, max },
    hours: hours && { ...hours, weekdays: [...hours.weekdays] },
  };
}
