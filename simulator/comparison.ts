/** Compares the API's answers with the expected figures of a world, and prints the comparison as a table. */
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../src/json.ts';
import { type WebhookPlatformName, webhookPlatformNames } from '../src/platforms/platform.ts';
import { type Person, personKey, platformIdOf } from './events/event.ts';
import { type Answer, expectedClientAnalysis, expectedMessageAnalysis } from './expected-answers.ts';
import { expectedPoints } from './expected-figures.ts';
import { type Credentials, callMantago } from './mantago-client.ts';
import type { World } from './world.ts';

export type Row = { figure: string; actual: unknown; expected: unknown; isEqual: boolean };

/** Most ids in one points call, by the contract. */
export const idsMax = 100;

/** Compares client and message analysis at `now` (ms). A missing or additional field is a difference. */
export async function compareAnalyses(
  address: string,
  credentials: Credentials,
  world: World,
  now: number,
): Promise<Row[]> {
  const clients = await callMantago(address, 'clients/analysis', credentials);
  const {
    success: _,
    message: __,
    ...messages
  } = await callMantago(address, 'message/analysis', credentials);
  const clientAnalysis = isObject(clients.clientAnalysis) ? clients.clientAnalysis : {};
  return [
    ...compareFields(clientAnalysis, expectedClientAnalysis(world)),
    ...compareFields(messages, expectedMessageAnalysis(world, now)),
  ];
}

/** Compares the points of every person with points: one row for each platform. */
export async function comparePoints(
  address: string,
  credentials: Credentials,
  world: World,
  now: number,
): Promise<Row[]> {
  const holders = new Map(world.points.map(({ person }) => [personKey(person), person]));
  const rows: Row[] = [];
  for (const platform of webhookPlatformNames) {
    const people = [...holders.values()].filter((person) => person.platform === platform);
    if (people.length === 0) continue;
    const actual = await readPoints(address, credentials, platform, people);
    const expected = new Map(
      people.map((person) => [platformIdOf(person), expectedPoints(world, person, now)]),
    );
    const figure = `points of ${people.length} people on ${platform}`;
    const isEqual = isDeepStrictEqual(actual, expected);
    rows.push({ ...row(figure, total(actual), total(expected)), isEqual });
  }
  return rows;
}

/** The rows as lines of a table with aligned columns. */
export function tableOf(rows: readonly Row[]): string[] {
  const cells = rows.map(({ figure, actual, expected, isEqual }) => [
    isEqual ? '✓' : '✗',
    figure,
    textOf(actual, isEqual),
    textOf(expected, isEqual),
  ]);
  const all = [['', 'figure', 'API', 'expected'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => width(line[column] ?? ''))));
  return all.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function compareFields(actual: JsonObject, expected: Answer): Row[] {
  const figures = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...figures].map((figure) => row(figure, actual[figure], expected[figure]));
}

async function readPoints(
  address: string,
  credentials: Credentials,
  platform: WebhookPlatformName,
  people: readonly Person[],
): Promise<Map<unknown, unknown>> {
  const balances = new Map<unknown, unknown>();
  for (let start = 0; start < people.length; start += idsMax) {
    const platformClientIds = people.slice(start, start + idsMax).map(platformIdOf);
    const fields = { platform, platformClientIds };
    const { points } = await callMantago(address, 'client/point', credentials, fields);
    for (const entry of Array.isArray(points) ? points : []) {
      if (isObject(entry)) balances.set(entry.platformClientId, entry.points);
    }
  }
  return balances;
}

function row(figure: string, actual: unknown, expected: unknown): Row {
  return { figure, actual, expected, isEqual: isDeepStrictEqual(actual, expected) };
}

function total(numbers: ReadonlyMap<unknown, unknown>): number {
  return [...numbers.values()].reduce<number>((sum, number) => sum + Number(number), 0);
}

// A long list is shortened when both sides are equal.
function textOf(value: unknown, isEqual: boolean): string {
  if (value === undefined) return '–';
  if (!Array.isArray(value)) return String(value);
  const texts = value.map((share) => (isObject(share) ? `${share.name} ${share.percentage}` : String(share)));
  const visible = isEqual ? texts.slice(0, 2) : texts;
  return `[${visible.join(', ')}${visible.length < texts.length ? ', …' : ''}]`;
}

// Chinese, Japanese and Korean characters are two columns wide in a terminal.
function width(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (/[\u2e80-\ua4cf\uac00-\ud7af\uff00-\uff60]/.test(character) ? 2 : 1),
    0,
  );
}
