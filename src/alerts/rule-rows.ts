/** The stored settings of rules. A rule without a row has its default. */
import { findBot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { invalidInput } from '../errors.ts';
import { type BusinessHours, defaultOf, factsOf, type RuleName, type RuleSettings } from './rules.ts';

type RuleRow = {
  botId: string;
  rule: string;
  enabled: boolean;
  threshold: number | null;
  fromHour: number | null;
  untilHour: number | null;
  weekdays: number[] | null;
};

/** A function from bot and rule to the settings; of all bots, or of one. */
export async function readSettings(
  sql: Queryable,
  botId: string | null = null,
): Promise<(botId: string, rule: RuleName) => RuleSettings> {
  const rows = await sql<RuleRow[]>`
    select bot_id as "botId", rule, enabled, threshold, from_hour as "fromHour", until_hour as "untilHour", weekdays
    from alert_rules ${botId === null ? sql`` : sql`where bot_id = ${botId}`}`;
  const byKey = new Map(rows.map((row) => [`${row.botId} ${row.rule}`, row]));
  return (bot, rule) => {
    const row = byKey.get(`${bot} ${rule}`);
    const preset = defaultOf(rule);
    if (!row) return preset;
    const { enabled, threshold, fromHour: from, untilHour: until, weekdays } = row;
    return {
      enabled,
      threshold: threshold ?? preset.threshold,
      hours:
        preset.hours && from !== null && until !== null && weekdays !== null
          ? { from, until, weekdays }
          : preset.hours,
    };
  };
}

export type RuleChanges = {
  enabled?: boolean | undefined;
  threshold?: number | undefined;
  hours?: BusinessHours | undefined;
};

/** Changes a rule; omitted members stay. Safe to repeat. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID. */
export async function setRule(
  sql: Queryable,
  { botId, rule, now, ...changes }: RuleChanges & { botId: string; rule: RuleName; now: number },
): Promise<RuleSettings> {
  await findBot(sql, botId);
  const before = (await readSettings(sql, botId))(botId, rule);
  const { enabled = before.enabled, threshold = before.threshold, hours = before.hours } = changes;
  checkRule(rule, { threshold, hours });
  await sql`
    insert into alert_rules (bot_id, rule, enabled, threshold, from_hour, until_hour, weekdays, updated_at)
    values (${botId}, ${rule}, ${enabled}, ${threshold}, ${hours?.from ?? null}, ${hours?.until ?? null},
      ${hours && numberList(hours.weekdays)}::integer[], ${new Date(now)})
    on conflict (bot_id, rule) do update set enabled = excluded.enabled, threshold = excluded.threshold,
      from_hour = excluded.from_hour, until_hour = excluded.until_hour, weekdays = excluded.weekdays,
      updated_at = excluded.updated_at`;
  return { enabled, threshold, hours };
}

function checkRule(rule: RuleName, { threshold, hours }: Pick<RuleSettings, 'threshold' | 'hours'>): void {
  const { min, max, hours: presetHours } = factsOf(rule);
  if (!(threshold >= min && threshold <= max)) {
    throw invalidInput(
      min === max
        ? `The rule ${rule} has no threshold to set.`
        : `The threshold of ${rule} must be from ${min} to ${max}, not ${threshold}.`,
    );
  }
  if (hours === null) return;
  if (!presetHours) throw invalidInput(`The rule ${rule} has no business hours.`);
  const { from, until, weekdays } = hours;
  if (from >= until || weekdays.length === 0)
    throw invalidInput('Business hours must end after they begin, on at least one day of the week.');
}
