/**
 * Walking a delivery: from the raw body to its items, each on its own, so that a broken one is a problem and the others
 * still count.
 *
 * In: bytes whose signature was right. Out: a ParsedDelivery that the platform modules fill. What must hold: nothing here
 * throws, whatever the bytes are.
 */
import { fingerprint, isObject, type JsonObject, Unreadable } from './fields.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';

const problemsMax = 20;

// Also takes a byte-order mark off, which JSON.parse would refuse.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What `read` finds in the body; a problem and no events when the body is no JSON object. Never throws. */
export function readDelivery(
  body: Uint8Array,
  read: (root: JsonObject, delivery: ParsedDelivery) => void,
): ParsedDelivery {
  const delivery: ParsedDelivery = { events: [], problems: [] };
  attempt(delivery, 'body', () => read(parseJson(body), delivery));
  return delivery;
}

/**
 * Reads each object of a list; one that cannot be read becomes a problem that names its place. The size that a body may
 * have bounds how many there are.
 */
export function readEach(
  list: unknown,
  place: string,
  delivery: ParsedDelivery,
  read: (item: JsonObject, place: string) => void,
): void {
  if (!Array.isArray(list)) {
    addProblem(delivery, `${place}: expected an array`);
    return;
  }
  list.forEach((item: unknown, index) => {
    const itemPlace = `${place}[${index}]`;
    attempt(delivery, itemPlace, () => {
      if (!isObject(item)) throw new Unreadable('expected an object');
      read(item, itemPlace);
    });
  });
}

/**
 * The event as the channel of `accountId` counts it. One of another account counts nothing and names nobody; its key carries
 * that account, for ids are unique only within one, and so that the event still counts once the channel's account id is put
 * right. Null stands for an account that nobody named, and for a channel that takes any.
 */
export function forChannel(
  event: ParsedEvent,
  account: string | null,
  accountId: string | null,
): ParsedEvent {
  if (account === null || accountId === null || account === accountId) return event;
  return {
    key: `other account:${account}:${event.key}`,
    kind: 'ignored',
    detail: 'other account',
    contact: null,
    contactAlias: null,
    happenedAt: event.happenedAt,
  };
}

/** An event that names nobody and has no id: its key is the hash of what it is made of. */
export function anonymousEvent(
  name: string,
  content: unknown,
  { kind, detail, happenedAt }: Pick<ParsedEvent, 'kind' | 'detail' | 'happenedAt'>,
): ParsedEvent {
  const key = `${name}:${fingerprint(content)}`;
  return { key, kind, detail, contact: null, contactAlias: null, happenedAt };
}

function attempt(delivery: ParsedDelivery, place: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    addProblem(delivery, `${place}: ${error.message}`);
  }
}

function addProblem({ problems }: ParsedDelivery, problem: string): void {
  if (problems.length < problemsMax) problems.push(problem);
  else if (problems.length === problemsMax) problems.push('and more');
}

function parseJson(body: Uint8Array): JsonObject {
  let root: unknown;
  try {
    root = JSON.parse(utf8.decode(body));
  } catch {
    throw new Unreadable('expected JSON in UTF-8');
  }
  if (!isObject(root)) throw new Unreadable('expected a JSON object');
  return root;
}
