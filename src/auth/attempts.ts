/**
 * Sign-in attempts, counted in the database by network, and by name and network, for all processes.
 *
 *     failures of a name from one network     1 … 4   5     6      7      8      9      10      11      12      13 …
 *     delay of the next attempt               –       5 s   10 s   20 s   40 s   80 s   160 s   320 s   640 s   900 s
 *
 * A network has 20 free failures, because many people may share it. During a delay all attempts are refused, even with the right
 * password; otherwise the delay would not stop guessing. A name is delayed only in the network that failed, so a stranger cannot
 * lock its user out elsewhere. One failure of a name expires every 15 minutes, one of a network every 5 minutes, so typing errors do
 * not add up. A successful sign-in clears the name's failures in that network.
 *
 * An attempt counts as a failure when it begins, so parallel attempts gain nothing. A success takes it back.
 */
import { createHmac } from 'node:crypto';
import type { Queryable, Sql } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { Refusal } from '../errors.ts';
import { networkOf } from '../network.ts';
import { dayMs, minuteMs, secondMs } from '../time.ts';

export type AttemptState = { failures: number; failedAt: number; lockedUntil: number | null };

/** Failures without a delay, and the time after which one expires. */
export type Limit = { free: number; expiryMs: number };
export const limits = {
  name: { free: 4, expiryMs: 15 * minuteMs },
  network: { free: 20, expiryMs: 5 * minuteMs },
} as const satisfies Record<string, Limit>;
type Kind = keyof typeof limits;

const delayMs = 5 * secondMs;
const delayMsMax = 15 * minuteMs;
/** All failures have expired by then. */
const storedMs = dayMs;

/** A begun attempt: its counts with the delay of each. */
export type Attempt = { subject: Buffer; kind: Kind; lockedUntil: number | null }[];

/**
 * Begins an attempt. `name` null: with an admin token, so only the network counts. `key` hashes both. Throws Refusal SIGN_IN_LIMITED
 * with the seconds until the next attempt, without counting this one.
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

/** Takes an attempt back that did not fail. `forget`: clears the earlier failures of the name in the network, too. */
export async function takeBack(
  sql: Queryable,
  attempt: Attempt,
  { forget }: { forget: boolean },
): Promise<void> {
  for (const { subject, kind, lockedUntil } of attempt) {
    if (forget && kind === 'name') await sql`delete from sign_in_attempts where subject = ${subject}`;
    else {
      // The delay of another attempt stays.
      await sql`
        update sign_in_attempts set failures = greatest(failures - 1, 0),
          locked_until = nullif(locked_until, ${dateOf(lockedUntil)}::timestamptz)
        where subject = ${subject}`;
    }
  }
}

/** Deletes expired counts. */
export async function purgeAttempts(sql: Queryable, { now }: { now: number }): Promise<void> {
  await sql`delete from sign_in_attempts where failed_at <= ${new Date(now - storedMs)}`;
}

/** The state after one more failure at `now` (ms). Throws Refusal SIGN_IN_LIMITED during a delay. */
export function nextState(
  { failures, failedAt, lockedUntil }: AttemptState,
  { now, limit }: { now: number; limit: Limit },
): AttemptState {
  if (lockedUntil !== null && lockedUntil > now) {
    const retryAfterSeconds = Math.ceil((lockedUntil - now) / secondMs);
    throw new Refusal(
      'SIGN_IN_LIMITED',
      `Too many failed attempts. Try again in ${retryAfterSeconds} seconds.`,
      {
        retryAfterSeconds,
      },
    );
  }
  const expired = Math.max(0, Math.floor((now - failedAt) / limit.expiryMs));
  const counted = Math.max(0, failures - expired) + 1;
  const over = counted - limit.free;
  const lock = over > 0 ? now + Math.min(delayMs * 2 ** (over - 1), delayMsMax) : null;
  return { failures: counted, failedAt: now, lockedUntil: lock };
}

/** The subject's locked row; added if missing. */
async function lockState(tx: Queryable, subject: Buffer, now: number): Promise<AttemptState> {
  await tx`
    insert into sign_in_attempts (subject, failures, failed_at) values (${subject}, 0, ${new Date(now)})
    on conflict (subject) do nothing`;
  const [state] = await tx<AttemptState[]>`
    select failures, ${msOf(tx, 'failed_at')} as "failedAt", ${msOf(tx, 'locked_until')} as "lockedUntil"
    from sign_in_attempts where subject = ${subject} for update`;
  // Without a row, a success or a purge deleted it between the two statements.
  return state ?? lockState(tx, subject, now);
}

function subjectOf(key: Uint8Array, parts: readonly string[]): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest();
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
