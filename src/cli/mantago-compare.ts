/**
 * `shoal mantago compare`: MantaGo's figures next to ours.
 */
import { InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import {
  type CompareParts,
  type Comparison,
  compare,
  sampleDefault,
  sampleMax,
  toleranceDefault,
} from '../mantago/comparison.ts';
import type { ClientGap, FigureGap, FigureValue } from '../mantago/figure-gaps.ts';
import { gapReasons } from '../mantago/gap-reasons.ts';
import { MantagoClient, MantagoFailure } from '../mantago/mantago-client.ts';
import { putWatch, removeWatch } from '../mantago/watch-rows.ts';
import { dayMs } from '../time.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { type Answer, type ShoalCommand, wholeNumberIn } from './command.ts';
import type { Context } from './context.ts';
import { renderTable } from './table.ts';

type Options = { tolerance: number; sample: number; watch?: boolean };

/** Adds the command. */
export function addCompare(mantago: ShoalCommand, context: Context): void {
  mantago
    .addForBot(
      'compare',
      "Ask MantaGo and Shoal the same calls, and show each figure with the gap and its likely reason. Uses the import's connection. " +
        'Exit code 1 if a gap is larger than the tolerance.',
    )
    .option(
      '--tolerance <percent>',
      "largest gap, in percent of MantaGo's figure",
      readPercent,
      toleranceDefault,
    )
    .option(
      '--sample <number>',
      'clients that are compared one by one',
      wholeNumberIn(1, sampleMax),
      sampleDefault,
    )
    .option('--watch', 'also let the server repeat it every day; the dashboard shows the series')
    .option('--no-watch', 'end the daily comparison')
    .answer((botId: string, options: Options) => (sql) => run(context, sql, botId, options));
}

async function run(
  context: Context,
  sql: Sql,
  botId: string,
  { tolerance, sample, watch }: Options,
): Promise<Answer> {
  await findBot(sql, botId);
  if (watch === false) {
    await removeWatch(sql, botId);
    return { json: { botId, watch: false }, text: 'The daily comparison is off.' };
  }
  const { clock, random } = context;
  const gate = openGate({ allowPrivate: context.config().callbackPrivate });
  const client = new MantagoClient(gate, clock);
  const parts: CompareParts = { sql, keys: await context.keys(sql), clock, random, gate, client };
  try {
    const comparison = await compare(parts, botId, { tolerance, sample });
    const now = clock();
    if (watch) await putWatch(sql, botId, { tolerance, sample, firstAt: now + dayMs, now });
    const isFailure = comparison.beyond > 0;
    return {
      json: { botId, ...comparison, reasons: gapReasons },
      text: render(comparison, watch === true),
      isFailure,
    };
  } catch (error) {
    if (error instanceof MantagoFailure) throw new Refusal('INPUT_INVALID', error.message);
    throw error;
  } finally {
    client.close();
  }
}

function render(
  { figures, beyond, tolerance, clients }: Comparison & { clients: ClientGap[] },
  isWatched: boolean,
): string {
  const head = ['call', 'figure', 'Shoal', 'MantaGo', 'gap', '%', ''];
  const rows = figures.map((one: FigureGap) => [
    one.call,
    one.figure,
    shown(one.ours),
    shown(one.theirs),
    shown(one.gap),
    shown(one.percent),
    [one.isBeyond ? '!' : '', one.reason ?? ''].join(' ').trim(),
  ]);
  const reasons = [...new Set(figures.flatMap(({ reason }) => reason ?? []))];
  return [
    ...renderTable([head, ...rows], { rightAligned: [2, 6] }),
    '',
    ...reasons.map((reason) => `${reason}: ${gapReasons[reason]}`),
    ...clients.map(
      ({ platform, clientId, figure, ours, theirs }) =>
        `${platform} ${clientId}: ${figure} is ${shown(ours)}, at MantaGo ${shown(theirs)}.`,
    ),
    beyond === 0
      ? `No gap is larger than ${tolerance} %.`
      : `${beyond} of ${figures.length} figures differ by more than ${tolerance} %.`,
    ...(isWatched ? ['A running server repeats the comparison every day.'] : []),
  ].join('\n');
}

function shown(value: FigureValue): string {
  return value === null ? '–' : String(value);
}

function readPercent(text: string): number {
  const percent = Number(text);
  if (/^\d{1,9}(\.\d{1,4})?$/.test(text)) return percent;
  throw new InvalidArgumentError('Must be a number of percent, such as 0.5.');
}
