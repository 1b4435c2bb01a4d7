/**
 * Attempts to sign in, counted by name within a network and by network, in the database, so that all processes count together.
 *
 *     failures of a name from one network     1 … 4   5     6      7      8      9      10      11      12      13 …
 *     then it waits there                     –       5 s   10 s   20 s   40 s   80 s   160 s   320 s   640 s   900 s
 *
 * A network may fail 20 times before it waits, for many people may share it. While a name or a network waits, its attempts are
 * refused, with the right password too: otherwise the waits would not delay a guesser. A name waits only in the network that
 * failed, so a stranger cannot keep its user out of another one. Of a name one failure is forgiven every 15 minutes, of a network
 * every 5, so that typing errors do not add up over weeks; and all of a name there when its user signs in.
 *
 * An attempt counts as a failure when it begins, so that many at once get no further than one after the other; a success takes
 * that back.
 */
import { createHmac } from 'node:crypto';
import type { Queryable, Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { networkOf } from '../network.ts';
import { dayMs, minuteMs, secondMs } from '../time.ts';

export type AttemptState = { failures: number; failedAt: number; lockedUntil: number | null };

/** Failures without a wait, and how long it takes until one is forgiven. */
export type Limit = { free: number; forgivenMs: number };
export const limits = {
  name: { free: 4, forgivenMs: 15 * minuteMs },
  network: { free: 20, forgivenMs: 5 * minuteMs },
} as const satisfies Record<string, Limit>;
type Kind = keyof typeof limits;

const waitMs = 5 * secondMs;
const waitMsMax = 15 * minuteMs;
/** Any count has come down to nothing by then. */
const forgottenMs = dayMs;

/** An attempt that has begun: its counts, and the wait that each of them was given. */
export type Attempt = { subject: Buffer; kind: Kind; lockedUntil: number | null }[];

/**
 * Begins an attempt; `name` null: it is made with an admin token, so only the network counts. `key` hashes both. Throws Refusal
 * SIGN_IN_LIMITED, with the seconds until the next one may be made, and then counts nothing.
 */
export async function beginAttempt(
  sql: Sql,
  { name, address }: { name: string | null; address: string },
  { now, key }: { now: number; key: Uint8Array },
): Promise<Attempt> {
  const network = networkOf(address);
  const subjects = [
    { kind: 'network' as const, subject: subjectOf(key, ['network', network]) },
    ...(name === null ? [] : [{ kind: 'name' as const, subject: subjectOf(key, ['name', name, network]) }]),
  ]
    // All attempts lock rows in one order.
    .sort((a, b) => Buffer.compare(a.subject, b.subject));
  return sql.begin(async (tx) => {
    const attempt: Attempt = [];
    for (const { kind, subject } of subjects) {
      const next = nextState(await lockState(tx, subject, now), { now, limit: limits[kind] });
      await tx`
        update sign_in_attempts set failures = ${next.failures}, failed_at = ${new Date(now)}, locked_until = ${dateOf(next.lockedUntil)}
        where subject = ${subject}`;
      attempt.push({ subject, kind, lockedUntil: next.lockedUntil });
    }
    return attempt;
  });
}

/**
 * The attempt proved not to be a failure. `forget`: the ones before it by the same name from the same network do not count either.
 */
export async function takeBack(
  sql: Queryable,
  attempt: Attempt,
  { forget }: { forget: boolean },
): Promise<void> {
  for (const { subject, kind, lockedUntil } of attempt) {
    if (forget && kind === 'name') await sql`delete from sign_in_attempts where subject = ${subject}`;
    else {
      // A wait that another attempt has brought about stays.
      await sql`
        update sign_in_attempts set failures = greatest(failures - 1, 0),
          locked_until = nullif(locked_until, ${dateOf(lockedUntil)}::timestamptz)
        where subject = ${subject}`;
    }
  }
}

/** Deletes counts that have come down to nothing. */
export async function purgeAttempts(sql: Queryable, { now }: { now: number }): Promise<void> {
  await sql`delete from sign_in_attempts where failed_at <= ${new Date(now - forgottenMs)}`;
}

/** The state after one more failure at `now` (ms). Throws Refusal SIGN_IN_LIMITED while there is a wait. */
export function nextState(
  { failures, failedAt, lockedUntil }: AttemptState,
  { now, limit }: { now: number; limit: Limit },
): AttemptState {
  if (lockedUntil !== null && lockedUntil > now) {
    const retryAfterSeconds = Math.ceil((lockedUntil - now) / secondMs);
    throw new Refusal('SIGN_IN_LIMITED', `Too many failed. Try again in ${retryAfterSeconds} seconds.`, {
      retryAfterSeconds,
    });
  }
  const forgiven = Math.max(0, Math.floor((now - failedAt) / limit.forgivenMs));
  const counted = Math.max(0, failures - forgiven) + 1;
  const over = counted - limit.free;
  const lock = over > 0 ? now + Math.min(waitMs * 2 ** (over - 1), waitMsMax) : null;
  return { failures: counted, failedAt: now, lockedUntil: lock };
}

/** The row of the subject, locked; made when there is none. */
async function lockState(tx: Queryable, subject: Buffer, now: number): Promise<AttemptState> {
  await tx`
    insert into sign_in_attempts (subject, failures, failed_at) values (${subject}, 0, ${new Date(now)})
    on conflict (subject) do nothing`;
  const [row] = await tx<{ failures: number; failedAt: Date; lockedUntil: Date | null }[]>`
    select failures, failed_at as "failedAt", locked_until as "lockedUntil" from sign_in_attempts
    where subject = ${subject} for update`;
  // Deleted between the two statements: by a success, or because it was forgotten.
  if (!row) return lockState(tx, subject, now);
  return {
    failures: row.failures,
    failedAt: row.failedAt.getTime(),
    lockedUntil: row.lockedUntil?.getTime() ?? null,
  };
}

function subjectOf(key: Uint8Array, parts: readonly string[]): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest();
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
