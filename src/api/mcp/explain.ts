/**
 * The tool that explains a figure: its definition, the rows that it is made of, and the calculation with these rows. The rows and the
 * published value come from the management API. The calculation only repeats the formula, so that a reader can check it.
 */
import { readFile } from 'node:fs/promises';
import type { operations } from '../../../contracts/types/management.ts';
import type { AnswerOf } from '../../http/operation.ts';
import type { JsonObject } from '../../json.ts';
import { once } from '../../once.ts';
import { platformNames } from '../../platforms/platform.ts';
import { addDays } from '../../time.ts';
import { type ApiCall, ApiProblem, readApi } from './api-call.ts';
import { fillPath, type Tool } from './tools.ts';

type Answer<I extends keyof operations> = AnswerOf<operations[I], 200>;
type SeriesFigure = Answer<'getSeries'>['series'][number]['figure'];
type Input = { botId: string; platform: string; from?: string; to?: string };
type Example = { rows: readonly object[]; calculation: string; published: number | null };
/** Days before the last one of a reconciliation. */
const reconciledDaysMax = 3_699;

/** `sections`: those of docs/figures.md that define the figure. */
type Explanation = {
  unit: string;
  formula: string;
  source: string;
  sections: readonly number[];
  example(call: ApiCall, input: Input): Promise<Example>;
};

/** `parts`: the figures whose sum is the value of a day. */
const sumOfDays = (
  seriesFigure: SeriesFigure,
  { unit, sections, parts = [] }: Pick<Explanation, 'unit' | 'sections'> & { parts?: SeriesFigure[] },
): Explanation => ({
  unit,
  formula: `the sum of the values of the days${parts.length > 0 ? `, each ${parts.join(' + ')}` : ''}`,
  source: 'stored counters by day (table days), written with each event',
  sections: [...sections, 13],
  async example(call, input) {
    const { series, periods } = await readSeries(call, input, [seriesFigure, ...parts]);
    const lineOf = (figure: SeriesFigure) =>
      series.find((line) => line.platform === input.platform && line.figure === figure);
    const values = lineOf(seriesFigure)?.values ?? [];
    const partLines = parts.map((part) => [part, lineOf(part)?.values ?? []] as const);
    const rows = periods.flatMap(({ name }, index) => {
      const value = values[index] ?? null;
      const ofDay = Object.fromEntries(partLines.map(([part, list]) => [part, list[index] ?? null]));
      return value === null || value === 0 ? [] : [{ day: name, ...ofDay, value }];
    });
    const unknownDays = values.filter((value) => value === null).length;
    const sum = rows.length === 0 && unknownDays > 0 ? 'unknown' : sumText(rows.map(({ value }) => value));
    const calculation = unknownDays === 0 ? sum : `${sum} (${unknownDays} days are unknown)`;
    return { rows, calculation, published: lineOf(seriesFigure)?.sum ?? null };
  },
});

const quotientOf = (
  figure: 'tagCoverRate' | 'averageConversationMessages' | 'averageConversationSeconds',
  { unit, formula, sections }: Pick<Explanation, 'unit' | 'formula' | 'sections'>,
  parts: (figures: Answer<'getFigures'>['platforms']['line']) => Record<string, number>,
  calculate: (numbers: readonly number[]) => string,
): Explanation => ({
  unit,
  formula,
  source: 'stored counters of all time (table totals), and for tags the contacts with a current tag',
  sections,
  async example(call, { botId, platform }) {
    const { platforms } = await readBot<Answer<'getFigures'>>(call, 'figures', { botId });
    const figures = platforms[platform as 'line'];
    const row = parts(figures);
    return { rows: [row], calculation: calculate(Object.values(row)), published: figures[figure] };
  },
});

/** A number of contacts now: on LINE its latest snapshot and the days after it, elsewhere the sum of all days. */
const stateOf = (figure: 'followers' | 'blocks', formula: string): Explanation => ({
  unit: 'contacts, now',
  formula,
  source:
    "stored counters by day (table days); on LINE also LINE's follower snapshots (table line_snapshots)",
  sections: [4, 5, 12],
  async example(call, { botId, platform }) {
    const { platforms, firstDay } = await readBot<Answer<'getFigures'>>(call, 'figures', { botId });
    const published = platforms[platform as 'line'][figure];
    const base = platform === 'line' ? await latestSnapshot(call, botId, figure) : null;
    const from = base === null ? firstDay : addDays(base.day, 1);
    // All time can have more days than one answer.
    const options = base === null ? { by: 'month' } : { by: 'day', zone: 'Asia/Tokyo' };
    const range = { botId, platform, ...(from === null ? {} : { from }) };
    const { series, periods } = await readSeries(call, range, [figure], options);
    const values = series.find((line) => line.platform === platform)?.values ?? [];
    const rows = periods.flatMap(({ name }, index) => {
      const change = values[index] ?? 0;
      return change === 0 ? [] : [{ period: name, change }];
    });
    const changes = rows.map(({ change }) => change);
    if (base === null) return { rows, calculation: sumText(changes), published };
    const sum = sumText([base.value, ...changes]);
    const calculation = figure === 'blocks' ? `at least 0: ${sum}` : sum;
    return { rows: [{ snapshotOf: base.day, line: base.value }, ...rows], calculation, published };
  },
});

const rounded = (numbers: readonly number[]) => {
  const [dividend = 0, divisor = 0] = numbers;
  return divisor === 0 ? '0 without any' : `round(${dividend} ÷ ${divisor})`;
};

const explanations: Readonly<Record<string, Explanation>> = {
  followers: stateOf(
    'followers',
    "contacts with a first follow; on LINE with snapshots: LINE's followers of the latest reported day D + first-time adds after D",
  ),
  blocks: stateOf(
    'blocks',
    "contacts that are blocked now; on LINE with snapshots: max(0, LINE's blocks of the latest reported day D + the changes after D)",
  ),
  newFollowers: sumOfDays('followers', { unit: 'contacts', sections: [4] }),
  newBlocks: sumOfDays('blocks', { unit: 'contacts', sections: [4] }),
  inbound: sumOfDays('inbound', { unit: 'messages', sections: [3] }),
  outbound: sumOfDays('outbound', { unit: 'messages', sections: [3] }),
  messages: sumOfDays('messages', { unit: 'messages', sections: [3], parts: ['inbound', 'outbound'] }),
  conversations: sumOfDays('conversations', { unit: 'conversations', sections: [7] }),
  tagCoverRate: quotientOf(
    'tagCoverRate',
    {
      unit: '0 to 1',
      formula: 'contacts with at least one current tag ÷ followers, at most 1, 4 decimals',
      sections: [5],
    },
    ({ taggedContacts, followers }) => ({ taggedContacts, followers }),
    (numbers) => {
      const [tagged = 0, followers = 0] = numbers;
      return followers === 0 ? '0 without followers' : `min(1, ${tagged} ÷ ${followers})`;
    },
  ),
  averageConversationMessages: quotientOf(
    'averageConversationMessages',
    {
      unit: 'messages, all time',
      formula: 'messages in conversations ÷ conversations, rounded half up',
      sections: [6, 7],
    },
    ({ conversationMessages, conversations }) => ({ conversationMessages, conversations }),
    rounded,
  ),
  averageConversationSeconds: quotientOf(
    'averageConversationSeconds',
    {
      unit: 'seconds, all time',
      formula:
        'time from first to last message of all conversations (ms) ÷ 1000 ÷ conversations, rounded half up',
      sections: [6, 7],
    },
    ({ conversationMs, conversations }) => ({ conversationMs, conversations }),
    ([ms = 0, conversations = 0]) =>
      conversations === 0 ? '0 without any' : `round(${ms} ÷ 1000 ÷ ${conversations})`,
  ),
  pointsOutstanding: {
    unit: 'points of all platforms together, at the end of the last day',
    formula: 'outstanding before + earned − spent + corrected − expired',
    source: 'the ledger of points (tables point_entries and point_lots)',
    sections: [8, 14],
    async example(call, input) {
      const { before, periods } = await readBot<Answer<'getPointSeries'>>(call, 'points/series', input);
      const rows = periods.filter(({ earned, spent, corrected, expired }) =>
        [earned, spent, corrected, expired].some((points) => points !== 0),
      );
      const changes = rows.flatMap(({ earned, spent, corrected, expired }) => [
        ...[earned, -spent, corrected, -expired].filter((points) => points !== 0),
      ]);
      const published = periods.findLast(({ outstanding }) => outstanding !== null)?.outstanding ?? before;
      return { rows, calculation: sumText([before, ...changes]), published };
    },
  },
};

const day = (description: string) => ({ type: 'string', format: 'date', description });

export const explainTool: Tool = {
  name: 'explain_figure',
  description:
    'Explain a figure of a bot: its definition, its formula, the stored rows that it is made of, and the calculation with these rows. ' +
    'Figures with the names of get_overview.',
  inputSchema: {
    type: 'object',
    properties: {
      botId: { type: 'string' },
      figure: { type: 'string', enum: Object.keys(explanations) },
      platform: { type: 'string', enum: [...platformNames] },
      from: day("First day, in the bot's zone, of a figure that is a sum of days; left out: as in the API."),
      to: day('Last day; left out: today.'),
    },
    required: ['botId', 'figure', 'platform'],
    additionalProperties: false,
  },
  async run(call, input) {
    const { figure } = input;
    const explanation = Object.entries(explanations).find(([name]) => name === figure)?.[1];
    if (!explanation) throw invalid(`figure must be one of ${Object.keys(explanations).join(', ')}.`);
    const { unit, formula, source, sections, example } = explanation;
    const worked = await example(call, toInput(input));
    const chapters = await readChapters();
    const definition = sections.map((number) => chapters.get(number) ?? '').join('\n');
    return { figure, platform: input.platform, unit, formula, source, ...worked, definition };
  },
};

function toInput({ botId, platform, from, to }: JsonObject): Input {
  if (typeof botId !== 'string') throw invalid('botId must be a text.');
  const isPlatform = typeof platform === 'string' && platformNames.some((name) => name === platform);
  if (!isPlatform) throw invalid(`platform must be one of ${platformNames.join(', ')}.`);
  return {
    ...{ botId, platform },
    ...(from === undefined ? {} : { from: String(from) }),
    ...(to === undefined ? {} : { to: String(to) }),
  };
}

function invalid(detail: string): ApiProblem {
  return new ApiProblem(`INPUT_INVALID: ${detail}`);
}

async function readBot<Body>(call: ApiCall, path: string, input: Partial<Input> & JsonObject): Promise<Body> {
  const { botId, platform: _, ...query } = input;
  return (await readApi(call, fillPath(`/api/v1/bots/{botId}/${path}`, { botId }), query)) as Body;
}

function readSeries(call: ApiCall, { platform, ...range }: Input, figures: readonly string[], options = {}) {
  const query = { ...range, ...options, figures: [...figures], platforms: [platform] };
  return readBot<Answer<'getSeries'>>(call, 'figures/series', query);
}

/** LINE's latest number; null: LINE has reported none. */
async function latestSnapshot(call: ApiCall, botId: string, figure: 'followers' | 'blocks') {
  const read = async (query: JsonObject) =>
    (await readBot<Answer<'getReconciliation'>>(call, 'reconciliation', { botId, ...query })).days;
  const isReported = (compared: Awaited<ReturnType<typeof read>>[number]) => compared[figure].line !== null;
  const recent = await read({});
  const last = recent.at(-1)?.day;
  const latest =
    recent.findLast(isReported) ??
    (last && (await read({ from: addDays(last, -reconciledDaysMax), to: last })).findLast(isReported));
  const value = latest ? latest[figure].line : null;
  return !latest || value === null ? null : { day: latest.day, value };
}

/** `4 + 3 − 1 = 6`. */
function sumText(values: readonly number[]): string {
  const [first = 0, ...others] = values;
  const text = others.map((value) => (value < 0 ? ` − ${-value}` : ` + ${value}`)).join('');
  return `${first}${text} = ${values.reduce((total, value) => total + value, 0)}`;
}

/** The sections of docs/figures.md by their numbers. */
const readChapters = once(async (): Promise<Map<number, string>> => {
  const text = await readFile(new URL('../../../docs/figures.md', import.meta.url), 'utf8');
  return new Map(
    text
      .split(/^(?=## \d+\. )/m)
      .slice(1)
      .map((chapter) => [Number.parseInt(chapter.slice(3), 10), chapter.trim()]),
  );
});
