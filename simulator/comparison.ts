/**
 * The API's answers beside the truth, figure by figure.
 *
 * In: a world, and where its bot is served. Out: rows that say whether each figure is the truth, and a table of them.
 */
import { isDeepStrictEqual } from 'node:util';
import { type WebhookPlatformName, webhookPlatformNames } from '../src/platforms/platform.ts';
import { type Answer, clientAnalysisOf, messageAnalysisOf } from './answers.ts';
import { type Credentials, callMantago, isObject, type JsonObject } from './caller.ts';
import { type Person, personKey, platformIdOf } from './happening.ts';
import { pointsTruth } from './oracle.ts';
import type { World } from './world.ts';

export type Row = { figure: string; answered: unknown; truth: unknown; same: boolean };

/** Most ids in one points call, by the contract. */
export const idsMax = 100;

/** Client analysis and message analysis against the truth at `now` (ms); a field too many or too few is a difference. */
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
  return [
    ...compareFields(isObject(clients.clientAnalysis) ? clients.clientAnalysis : {}, clientAnalysisOf(world)),
    ...compareFields(messages, messageAnalysisOf(world, now)),
  ];
}

/** The points of everybody who holds some, by platform; a row says how many people's points differ. */
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
    rows.push(await comparePlatformPoints(address, credentials, { world, platform, people, now }));
  }
  return rows;
}

/** The rows as lines of a table, columns aligned for a terminal. */
export function tableOf(rows: readonly Row[]): string[] {
  const cells = rows.map(({ figure, answered, truth, same }) => [
    same ? '✓' : '✗',
    figure,
    shown(answered, same),
    shown(truth, same),
  ]);
  const all = [['', 'figure', 'the API answers', 'the world knows'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function compareFields(answered: JsonObject, truth: Answer): Row[] {
  const figures = [...Object.keys(truth), ...Object.keys(answered).filter((figure) => !(figure in truth))];
  return figures.map((figure) => row(figure, answered[figure], truth[figure]));
}

async function comparePlatformPoints(
  address: string,
  credentials: Credentials,
  {
    world,
    platform,
    people,
    now,
  }: { world: World; platform: WebhookPlatformName; people: readonly Person[]; now: number },
): Promise<Row> {
  const answered = new Map<unknown, unknown>();
  for (let start = 0; start < people.length; start += idsMax) {
    const platformClientIds = people.slice(start, start + idsMax).map(platformIdOf);
    const { points } = await callMantago(address, 'client/point', credentials, {
      platform,
      platformClientIds,
    });
    for (const entry of Array.isArray(points) ? points : []) {
      if (isObject(entry)) answered.set(entry.platformClientId, entry.points);
    }
  }
  const truth = new Map(people.map((person) => [platformIdOf(person), pointsTruth(world, person, now)]));
  const figure = `points of ${people.length} people on ${platform}`;
  return { ...row(figure, total(answered), total(truth)), same: isDeepStrictEqual(answered, truth) };
}

function row(figure: string, answered: unknown, truth: unknown): Row {
  return { figure, answered, truth, same: isDeepStrictEqual(answered, truth) };
}

function total(numbers: ReadonlyMap<unknown, unknown>): number {
  return [...numbers.values()].reduce<number>((sum, number) => sum + Number(number), 0);
}

// Long lists are cut as long as both sides say the same.
function shown(value: unknown, same: boolean): string {
  if (value === undefined) return '–';
  if (!Array.isArray(value)) return String(value);
  const texts = value.map((share) => (isObject(share) ? `${share.name} ${share.percentage}` : String(share)));
  const cut = same ? texts.slice(0, 2) : texts;
  return `[${cut.join(', ')}${cut.length < texts.length ? ', …' : ''}]`;
}

// Chinese, Japanese and Korean signs take two columns of a terminal.
function width(text: string): number {
  return [...text].reduce(
    (sum, sign) => sum + (/[\u2e80-\ua4cf\uac00-\ud7af\uff00-\uff60]/.test(sign) ? 2 : 1),
    0,
  );
}
