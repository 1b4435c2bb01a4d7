/**
 * The imports of rewards: the catalogue of gifts, grants, and redemptions.
 *
 * A grant or redemption without a key gets one from the hash of the file and the line number, so the same file changes nothing a
 * second time.
 */
import type { Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { catalogueQuery } from '../exports/catalogue.ts';
import type { Random } from '../random.ts';
import { findGiftByName, type GiftKind, giftKinds, putGift } from '../rewards/gifts.ts';
import { type Grant, grantGift, redeemOfGift } from '../rewards/grants.ts';
import { readReference } from './contact-references.ts';
import type { ImportPlan } from './import.ts';
import { byContact, type ContactLine, type ImportedLine, type Resolved, unprepared } from './preparation.ts';
import { readInstant } from './values.ts';

type CatalogueLine = ImportedLine & {
  name: string;
  kind: GiftKind;
  resource: string;
  /** Undefined: left as it is. */
  isDefault: boolean | undefined;
  stock: number | undefined;
  expiresAt: Date | undefined;
};

const catalogueColumns = {
  required: ['name', 'kind', 'resource'],
  optional: ['stock', 'expires_at', 'is_default'],
};
const ignored = Object.keys(catalogueQuery.columns).filter(
  (name) => !Object.values(catalogueColumns).flat().includes(name),
);
const textLengthMax = 200;
const stockMax = 1_000_000_000;

/** Counts `added` and `updated` gifts. A gift is identified by its name; an empty field leaves its value. */
export function cataloguePlan(
  botId: string,
  { random }: { random: Random },
): ImportPlan<CatalogueLine, CatalogueLine> {
  return {
    columns: { ...catalogueColumns, ignored },
    preparation: unprepared(),
    read: ({ name = '', kind = '', resource = '', ...fields }, line, { timeZone }) => ({
      line,
      name: readText('name', name),
      kind: readKind(kind),
      resource: readText('resource', resource),
      isDefault: readFlag(fields.is_default ?? ''),
      stock: readStock(fields.stock ?? ''),
      expiresAt: fields.expires_at ? new Date(readInstant(fields.expires_at, timeZone)) : undefined,
    }),
    async write(tx, lines, { problems, now }) {
      const counts = { added: 0, updated: 0 };
      for (const { line, ...gift } of lines) {
        const outcome = await orRefusal(putGift(tx, { botId, ...gift }, { now, random }));
        if (outcome instanceof Refusal) problems.add(`line ${line}`, outcome);
        else if (outcome !== 'unchanged') counts[outcome] += 1;
      }
      return counts;
    },
  };
}

type GiftLine = ContactLine & { gift: string; key: string | null };

/** Grants. Counts `written`: lines that were not imported before. */
export function giftsPlan(botId: string): ImportPlan<GiftLine> {
  return planOfChanges(['key'], readGiftLine, async (tx, { gift, ...change }, now) => {
    const { giftId } = await findGiftByName(tx, botId, gift);
    return grantGift(tx, { botId, giftId, ...change }, { now });
  });
}

type RedemptionLine = GiftLine & { grantId: number | null };

/** Redemptions of granted gifts. Counts `written`, as `giftsPlan`. */
export function redemptionsPlan(botId: string): ImportPlan<RedemptionLine> {
  const read = (fields: Readonly<Record<string, string>>, line: number): RedemptionLine => ({
    ...readGiftLine(fields, line),
    grantId: fields.grant_id ? readGrantId(fields.grant_id) : null,
  });
  return planOfChanges(['grant_id', 'key'], read, async (tx, { gift, ...change }, now) => {
    const { giftId } = await findGiftByName(tx, botId, gift);
    return redeemOfGift(tx, { botId, giftId, ...change }, { now });
  });
}

type Change<Line> = Omit<Resolved<Line>, 'key'> & { key: string; by: string };

function planOfChanges<Line extends GiftLine>(
  optional: string[],
  read: (fields: Readonly<Record<string, string>>, line: number) => Line,
  change: (tx: Transaction, line: Change<Line>, now: number) => Promise<{ grant: Grant; repeated: boolean }>,
): ImportPlan<Line> {
  return {
    columns: { required: ['platform', 'contact', 'gift'], optional },
    preparation: byContact(),
    read,
    async write(tx, lines, { hash, problems, now }) {
      let written = 0;
      for (const line of lines) {
        const key = line.key ?? `import:${hash}:${line.line}`;
        const outcome = await orRefusal(change(tx, { ...line, key, by: 'import' }, now));
        if (outcome instanceof Refusal) problems.add(`line ${line.line}`, outcome);
        else if (!outcome.repeated) written += 1;
      }
      return { written };
    },
  };
}

function readGiftLine(
  { platform = '', contact = '', gift = '', key = '' }: Readonly<Record<string, string>>,
  line: number,
): GiftLine {
  return {
    line,
    ...readReference(platform, contact),
    gift: readText('gift', gift),
    key: key === '' ? null : readText('key', key),
  };
}

async function orRefusal<Value>(work: Promise<Value>): Promise<Value | Refusal> {
  return work.catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
}

function readText(name: string, text: string): string {
  // PostgreSQL cannot store NUL, and half a surrogate pair would become another character.
  const isValid = text.trim() !== '' && text.length <= textLengthMax && !/[\0\p{Cs}]/u.test(text);
  return isValid
    ? text
    : refuse(`${name} must have 1 to ${textLengthMax} characters, valid Unicode without NUL`, text);
}

function readKind(text: string): GiftKind {
  const kind = giftKinds.find((one) => one === text);
  return kind ?? refuse(`The kind must be one of ${giftKinds.join(', ')}`, text);
}

function readStock(text: string): number | undefined {
  if (text === '') return undefined;
  const isStock = /^\d{1,10}$/.test(text) && Number(text) <= stockMax;
  return isStock ? Number(text) : refuse(`The stock must be a whole number up to ${stockMax}`, text);
}

function readFlag(text: string): boolean | undefined {
  if (text === '') return undefined;
  return text === 'true' || (text === 'false' ? false : refuse('is_default must be true or false', text));
}

function readGrantId(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse('grant_id must be the number of a grant', text);
}

function refuse(expectation: string, text: string): never {
  throw new Refusal('INPUT_INVALID', `${expectation}, not ${JSON.stringify(text.slice(0, textLengthMax))}.`);
}
