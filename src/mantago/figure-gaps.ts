/**
 * MantaGo's answer to a call next to ours, figure by figure, as pure functions.
 */
import { asText, isObject, isStorable, type JsonObject } from '../json.ts';
import { type ComparedCall, type GapReason, reasonOf } from './gap-reasons.ts';

/** A number, a text, or null: the answer does not have it. */
export type FigureValue = number | string | boolean | null;

export type FigureGap = {
  call: ComparedCall;
  figure: string;
  ours: FigureValue;
  theirs: FigureValue;
  /** Ours − theirs; null: at least one is no number. */
  gap: number | null;
  /** The gap in percent of theirs (of 1, if theirs is smaller); null: at least one is no number. */
  percent: number | null;
  isBeyond: boolean;
  /** The likely reason; null: there is no gap. */
  reason: GapReason | null;
};

/** Members of an answer that are no figures. */
const frame = ['success', 'message'];

/** The figures of an answer by name. Shares (`[{name, percentage}]`) are one figure for each name. */
export function figuresIn(answer: JsonObject): Map<string, FigureValue> {
  const figures = new Map<string, FigureValue>();
  for (const [name, value] of Object.entries(answer)) {
    if (frame.includes(name) || !isStorable([name, value])) continue;
    if (Array.isArray(value)) {
      for (const share of value.filter(isObject)) {
        const key = share.name ?? share.date;
        const count = share.percentage ?? share.count;
        if (typeof key === 'string' && typeof count === 'number') figures.set(`${name} ${key}`, count);
      }
    } else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
      figures.set(name, value);
  }
  return figures;
}

/** Compares figures that either answer has. A figure that MantaGo does not answer is never beyond the tolerance (in percent). */
export function gapsOf(
  call: ComparedCall,
  { ours, theirs }: { ours: ReadonlyMap<string, FigureValue>; theirs: ReadonlyMap<string, FigureValue> },
  tolerance: number,
): FigureGap[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  return names.map((figure) => {
    const pair = { ours: ours.get(figure) ?? null, theirs: theirs.get(figure) ?? null };
    return { call, figure, ...pair, ...difference(pair, tolerance, () => reasonOf(call, figure)) };
  });
}

function difference(
  { ours, theirs }: { ours: FigureValue; theirs: FigureValue },
  tolerance: number,
  reason: () => GapReason,
): Pick<FigureGap, 'gap' | 'percent' | 'isBeyond' | 'reason'> {
  if (theirs === null) return { gap: null, percent: null, isBeyond: false, reason: null };
  if (typeof ours === 'number' && typeof theirs === 'number') {
    // Rates have four decimals, so that a difference of binary fractions is none.
    const gap = round(ours - theirs);
    const percent = round((100 * Math.abs(gap)) / Math.max(1, Math.abs(theirs)));
    return { gap, percent, isBeyond: percent > tolerance, reason: gap === 0 ? null : reason() };
  }
  const isEqual = ours === theirs;
  return { gap: null, percent: null, isBeyond: !isEqual, reason: isEqual ? null : reason() };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** A figure of one client that differs. It names a person, so it is shown and never stored. */
export type ClientGap = {
  platform: string;
  clientId: string;
  figure: string;
  ours: FigureValue;
  theirs: FigureValue;
};

const comparedMembers = ['clientName', 'customerId', 'isBlock'] as const;
const comparedTags = ['tags', 'autoTags'] as const;

/** Compares clients one by one: how many are known here, and how many of these agree in each member. */
export function clientGaps(
  theirs: readonly JsonObject[],
  ourOf: (client: JsonObject) => JsonObject | undefined,
): { ours: Map<string, FigureValue>; theirs: Map<string, FigureValue>; clients: ClientGap[] } {
  const clients: ClientGap[] = [];
  const known = theirs.flatMap((client) => {
    const own = ourOf(client);
    return own === undefined ? [] : [{ client, own }];
  });
  const ours = new Map<string, FigureValue>([['known', known.length]]);
  const expected = new Map<string, FigureValue>([['known', theirs.length]]);
  const count = (figure: string, memberOf: (client: JsonObject) => FigureValue) => {
    const compared = known.filter(({ client }) => memberOf(client) !== null);
    const different = compared.filter(({ client, own }) => memberOf(client) !== memberOf(own));
    for (const { client, own } of different) clients.push(clientGap(client, { figure, own, memberOf }));
    ours.set(figure, compared.length - different.length);
    expected.set(figure, compared.length);
  };
  for (const member of comparedMembers) count(member, (client) => textOrNull(client[member]));
  for (const member of comparedTags) count(member, (client) => namesIn(client[member]));
  return { ours, theirs: expected, clients };
}

function clientGap(
  client: JsonObject,
  { figure, own, memberOf }: { figure: string; own: JsonObject; memberOf(client: JsonObject): FigureValue },
): ClientGap {
  const [platform, clientId] = [asText(client.platform), asText(client.clientId)];
  return { platform, clientId, figure, ours: memberOf(own), theirs: memberOf(client) };
}

function textOrNull(value: unknown): FigureValue {
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** The names of tags, sorted. */
function namesIn(value: unknown): string | null {
  if (!Array.isArray(value)) return null;
  return value
    .filter(isObject)
    .map(({ name }) => asText(name))
    .sort()
    .join(', ');
}
