/**
 * The records that the gateway puts into the inbox, as pure code: one for each send that LINE accepted, and one for each click.
 * They contain no message text and no token.
 */
import { Refusal } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { readId, readMs, requireId, Unreadable } from '../platforms/delivery.ts';
import { sendKinds } from './daily-figures.ts';
import type { Send } from './sends.ts';

/** A send that LINE accepted. */
export type SendRecord = Required<Send> & {
  /** LINE's user id for a push to one person; otherwise null. */
  person: string | null;
};
/** A person opened a link. */
export type ClickRecord = {
  kind: 'click';
  /** Generated here, so that a repeated record counts once. */
  clickId: string;
  code: string;
  /** LINE's user id, or the id of an unknown visitor. */
  person: string;
  /** ms. */
  clickedAt: number;
};
export type GatewayRecord = SendRecord | ClickRecord;

/** Encodes a record for the inbox. */
export function writeRecord(record: GatewayRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** Decodes a stored record. Throws Refusal INPUT_INVALID with the expected form. */
export function readRecord(body: Uint8Array): GatewayRecord {
  try {
    const record: unknown = JSON.parse(Buffer.from(body).toString());
    if (!isObject(record)) throw new Unreadable('expected an object');
    return record.kind === 'click' ? readClick(record) : readSend(record);
  } catch (error) {
    if (!(error instanceof Unreadable || error instanceof SyntaxError)) throw error;
    const problem = error instanceof Unreadable ? error.message : 'expected JSON';
    throw new Refusal('INPUT_INVALID', `A record of the gateway cannot be read: ${problem}.`);
  }
}

function readClick({ clickId, code, person, clickedAt }: JsonObject): ClickRecord {
  return {
    kind: 'click',
    clickId: requireId(clickId, 'clickId'),
    code: requireId(code, 'code'),
    person: requireId(person, 'person'),
    clickedAt: readMs(clickedAt, 'clickedAt'),
  };
}

function readSend(record: JsonObject): SendRecord {
  const kind = sendKinds.find((name) => name === record.kind);
  if (kind === undefined) throw new Unreadable(`kind: expected click or one of ${sendKinds.join(', ')}`);
  return {
    requestId: requireId(record.requestId, 'requestId'),
    kind,
    unit: readId(record.unit, 'unit'),
    recipients: readCount(record.recipients),
    sentAt: readMs(record.sentAt, 'sentAt'),
    person: readId(record.person, 'person'),
    replyTokenHash: readHash(record.replyTokenHash),
    linkSet: readId(record.linkSet, 'linkSet'),
  };
}

function readCount(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Unreadable('recipients: expected a whole number from 0');
}

function readHash(value: unknown): string | null {
  const hash = readId(value, 'replyTokenHash');
  if (hash === null || /^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new Unreadable('replyTokenHash: expected 64 hexadecimal digits');
}
