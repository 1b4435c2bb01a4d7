/**
 * The exports of Meta's own figures: of channels by day and figure, and of WhatsApp templates by day. Days are Meta's.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { templateRule } from '../meta/kinds.ts';
import { reportedBy } from '../meta/reported-figures.ts';
import { isoOf, type Query, type Scope, tableOf } from './table.ts';

/** The figures in the order of the file. */
const figures = Object.entries(reportedBy).flatMap(([platform, { figures: names, kinds }]) =>
  kinds.flatMap((kind) => names.map((name) => ({ platform, kind, name }))),
);

const figuresQuery: Query = {
  columns: { platform: 'plain', day: 'plain', figure: 'text', value: 'text', reported_at: 'plain' },
  source: (tx, scope) => tx`
    from platform_days
    cross join lateral jsonb_each_text(platform_days.value) as reported(figure, value)
    join ${rowTable(tx, 'known', figures, {
      platform: ['text', ({ platform }) => platform],
      kind: ['text', ({ kind }) => kind],
      figure: ['text', ({ name }) => name],
      place: ['integer', (_, index) => index],
    })} on known.kind = platform_days.kind and known.figure = reported.figure
    where platform_days.bot_id = ${scope.bot.botId} and reported.value is not null and ${isOfDays(tx, scope)}`,
  select: (tx, source) => tx`
    select known.platform, to_char(platform_days.day, 'YYYY-MM-DD') as day, reported.figure, reported.value,
      ${isoOf(tx, 'platform_days.received_at')} as reported_at
    ${source} order by known.platform, platform_days.day, known.place`,
};

const templatesQuery: Query = {
  columns: {
    ...{ day: 'plain', template_id: 'text', name: 'text' },
    ...{ sent: 'plain', delivered: 'plain', read: 'plain', clicked: 'plain', reported_at: 'plain' },
  },
  source: (tx, scope) => tx`
    from platform_days cross join lateral jsonb_each(platform_days.value) as template(template_id, counts)
    where platform_days.bot_id = ${scope.bot.botId} and platform_days.kind = ${templateRule.kind} and ${isOfDays(tx, scope)}`,
  select: (tx, source) => {
    const count = (name: string) => tx`(counts->>${name})::float8`;
    return tx`
      select to_char(platform_days.day, 'YYYY-MM-DD') as day, template_id, counts->>'name' as name, ${count('sent')} as sent,
        ${count('delivered')} as delivered, ${count('read')} as read, ${count('clicked')} as clicked,
        ${isoOf(tx, 'platform_days.received_at')} as reported_at
      ${source} order by platform_days.day, template_id`;
  },
};

export const platformFigures = { ...tableOf(figuresQuery), isPersonal: false };
export const templateFigures = { ...tableOf(templatesQuery), isPersonal: false };

function isOfDays(sql: Queryable, { from, to }: Scope): Fragment {
  return sql`${from === null ? sql`true` : sql`platform_days.day >= ${from}`}
    and ${to === null ? sql`true` : sql`platform_days.day <= ${to}`}`;
}
