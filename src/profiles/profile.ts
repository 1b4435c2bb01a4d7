/**
 * The interface of a platform's calls for profiles, and the reading of the values in its answers.
 */
import type { Channel } from '../bots/channels.ts';
import type { PlatformProfile } from '../contacts/profiles.ts';
import type { PlatformName } from '../platforms/platform.ts';

export type FetchedProfile =
  /** `pauseMs`: the platform's limit of calls is nearly used up, so the channel pauses for this long. */
  | { outcome: 'found'; profile: PlatformProfile; pauseMs?: number }
  /** The platform has no profile of this person (deleted, blocked, never consented). Asked again after the person unblocks the account; `isAskedAgain`: also later, because the platform does not report that. */
  | { outcome: 'gone'; isAskedAgain?: boolean }
  /** The call failed for this person only, who is asked about again later. */
  | { outcome: 'failed'; problem: string }
  /**
   * No call of this channel succeeds now (token refused, rate limit, platform unreachable): the channel pauses. `retryMs`: at least
   * this long. `problem` is for people and contains no secret.
   */
  | { outcome: 'paused'; problem: string; retryMs?: number };

/** A platform's calls for profiles. */
export type ProfileSource = {
  platform: PlatformName;
  /** Makes one call. Failures of the call are outcomes; throws only after `close`. */
  fetchProfile(channel: Channel, platformContactId: string): Promise<FetchedProfile>;
  /** Cancels running calls. Idempotent. */
  close(): Promise<void>;
};

const lengthMax = { name: 500, accountName: 500, statusMessage: 2_000, language: 100 };
const urlLengthMax = 4_000;

/**
 * Returns a profile that can be stored: texts composed (NFC), without control characters, trimmed and bounded; pictures at http(s)
 * addresses only. A value that is no text, or empty, becomes null.
 */
export function readProfile(
  values: Readonly<Partial<Record<keyof PlatformProfile, unknown>>>,
): PlatformProfile {
  return {
    name: readText(values.name, lengthMax.name),
    accountName: readText(values.accountName, lengthMax.accountName),
    pictureUrl: readUrl(values.pictureUrl),
    language: readText(values.language, lengthMax.language),
    statusMessage: readText(values.statusMessage, lengthMax.statusMessage),
  };
}

function readText(value: unknown, max: number): string | null {
  if (typeof value !== 'string') return null;
  const text = value
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  return [...text].slice(0, max).join('').trim() || null;
}

function readUrl(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > urlLengthMax) return null;
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? url.href
    : null;
}
