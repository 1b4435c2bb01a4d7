/**
 * Access tokens for calls to LINE. A channel with a channel id gets stateless tokens, which are valid for 15 minutes: issued by the
 * channel secret, or by a signed assertion (v2.1) if the channel has an assertion key. Another channel has a long-lived token.
 *
 * Source: LINE Messaging API reference, "Issue stateless channel access token" (`POST /oauth2/v3/token`), and "Issue channel access
 * token v2.1" for the form of the assertion. LINE issues any number of stateless tokens, so each process has its own, in memory only.
 */
import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { importJWK } from 'jose/key/import';
import { LRUCache } from 'lru-cache';
import type { Channel } from '../bots/channels.ts';
import { isObject, parseJson } from '../json.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import type { LineClient, Reply, TokenReply } from './line-client.ts';

/** The credentials of a LINE channel; `secrets`: the current one first. */
export type LineCredentials = Pick<Channel, 'channelId' | 'secrets' | 'assertionKey' | 'accessToken'>;

/** `problem` is for people. */
export type Access =
  | { token: string }
  | {
      failure: 'token-refused' | 'unavailable' | 'limited' | 'unreachable' | 'nonsense' | 'sealed';
      problem: string;
    };

export type AccessFailure = Extract<Access, { failure: string }>;
/** A call to LINE. `isRefused`: LINE has refused the token (401), so nothing happened. */
export type TokenCall<Answer> = {
  call(token: string): Promise<Answer>;
  isRefused(answer: Answer): boolean;
  isRepeatable?: boolean;
};
type Issued = { token: string; expiresAt: number };
type Failed = { access: Access; until: number };

const channelsMax = 10_000;
/** A token is renewed this long before it expires. Calls use the old one until the new one is there. */
const renewMs = 3 * minuteMs;
/** A token is not used in its last seconds. */
const marginMs = 20 * secondMs;
const failedMs = 5 * secondMs;
const lifeSecondsMax = 86_400;
const assertionSeconds = 10 * 60;
const assertionAlgorithm = 'RS256';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** `monotonic` measures lifetimes, which a change of the system's time must not extend. */
type Options = { clock: Clock; monotonic?: Clock; onCall(endpoint: string, outcome: string): void };

export class LineAccess {
  readonly #line: Pick<LineClient, 'askForToken'>;
  readonly #clock: Clock;
  readonly #monotonic: Clock;
  readonly #onCall: (endpoint: string, outcome: string) => void;
  readonly #issued = new LRUCache<string, Issued>({ max: channelsMax });
  readonly #failed = new LRUCache<string, Failed>({ max: channelsMax });
  readonly #running = new Map<string, Promise<Access>>();

  constructor(line: Pick<LineClient, 'askForToken'>, { clock, monotonic = clock, onCall }: Options) {
    this.#line = line;
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#onCall = onCall;
  }

  /** Returns a token that is valid now, and renews it ahead of its end. Throws Stopped only. */
  async tokenOf(credentials: LineCredentials): Promise<Access> {
    const { channelId, accessToken } = credentials;
    if (channelId === null) return accessToken === null ? noToken : { token: accessToken };
    const key = keyOf(credentials);
    const issued = this.#issued.get(key);
    const now = this.#monotonic();
    if (issued && issued.expiresAt - renewMs > now) return { token: issued.token };
    const failed = this.#failed.get(key);
    const renewing =
      failed && failed.until > now ? Promise.resolve(failed.access) : this.#renew(key, credentials);
    if (!issued || issued.expiresAt - marginMs <= now) return renewing;
    // The handler keeps a failure from being reported as unhandled; a later call waits for the next renewal.
    renewing.catch(() => undefined);
    return { token: issued.token };
  }

  /**
   * Makes a call with a token. If LINE refuses an issued one, which may be revoked before its end, the call is repeated once with a new
   * one. The answer `token-refused` then means that LINE issues none. Throws Stopped only.
   */
  async call(
    credentials: LineCredentials,
    call: (token: string) => Promise<Reply>,
  ): Promise<Reply | AccessFailure> {
    const isRefused = (reply: Reply) => reply.outcome === 'token-refused';
    const reply = await this.callWith(credentials, { call, isRefused });
    const isFresh = credentials.channelId !== null;
    return isFresh && 'outcome' in reply && isRefused(reply) ? freshRefused : reply;
  }

  /** The same for any call. `isRepeatable` false: only the next call gets a new token. Throws errors of the call, and Stopped. */
  async callWith<Answer extends object>(
    credentials: LineCredentials,
    { call, isRefused, isRepeatable = true }: TokenCall<Answer>,
  ): Promise<Answer | AccessFailure> {
    const access = await this.tokenOf(credentials);
    if ('failure' in access) return access;
    const answer = await call(access.token);
    if (!isRefused(answer) || credentials.channelId === null) return answer;
    this.refused(credentials, access.token);
    if (!isRepeatable) return answer;
    const renewed = await this.tokenOf(credentials);
    return 'failure' in renewed ? renewed : call(renewed.token);
  }

  /** Drops a token that LINE refuses. */
  refused(credentials: LineCredentials, token: string): void {
    const key = keyOf(credentials);
    if (this.#issued.get(key)?.token === token) this.#issued.delete(key);
  }

  /** Callers of one channel share the running call. */
  #renew(key: string, credentials: LineCredentials): Promise<Access> {
    const running = this.#running.get(key);
    if (running) return running;
    const issuing = this.#issue(key, credentials).finally(() => this.#running.delete(key));
    this.#running.set(key, issuing);
    return issuing;
  }

  async #issue(key: string, credentials: LineCredentials): Promise<Access> {
    const now = this.#monotonic();
    const form = await formOf(credentials, this.#clock());
    if (form === null) return { failure: 'sealed', problem: 'The channel has no secret or assertion key.' };
    const reply = await this.#line.askForToken('/oauth2/v3/token', form);
    this.#onCall('token', reply.outcome);
    const issued = readIssued(reply, now);
    if (!('failure' in issued)) {
      this.#issued.set(key, issued);
      return { token: issued.token };
    }
    this.#failed.set(key, { access: issued, until: this.#monotonic() + failedMs });
    return issued;
  }
}

const noToken: Access = { failure: 'sealed', problem: 'The channel has no access token and no channel id.' };
const refused = {
  failure: 'token-refused',
  problem: 'LINE issues no token for this channel id and secret. Set the right ones.',
} as const;

const freshRefused = {
  outcome: 'unreachable',
  problem: 'LINE refuses an access token that it has just issued (401).',
} as const;

function keyOf({ channelId, secrets, assertionKey }: LineCredentials): string {
  return createHash('sha256')
    .update(JSON.stringify([channelId, secrets[0], assertionKey]))
    .digest('base64');
}

/** Null: the credentials cannot be read. */
async function formOf(
  { channelId, secrets, assertionKey }: LineCredentials,
  now: number,
): Promise<URLSearchParams | null> {
  const [secret] = secrets;
  if (channelId === null) return null;
  const grant = { grant_type: 'client_credentials' };
  if (assertionKey !== null) {
    const client_assertion = await signAssertion(assertionKey, channelId, now);
    return new URLSearchParams({ ...grant, client_assertion_type: assertionType, client_assertion });
  }
  return secret === undefined
    ? null
    : new URLSearchParams({ ...grant, client_id: channelId, client_secret: secret });
}

/** A JSON Web Token. `jwk` was checked when it was set. */
async function signAssertion(jwk: string, channelId: string, now: number): Promise<string> {
  const key: JWK = JSON.parse(jwk);
  return new SignJWT({ iss: channelId, sub: channelId, aud: 'https://api.line.me/' })
    .setProtectedHeader({
      alg: assertionAlgorithm,
      typ: 'JWT',
      ...(key.kid === undefined ? {} : { kid: key.kid }),
    })
    .setExpirationTime(Math.floor(now / secondMs) + assertionSeconds)
    .sign(await importJWK(key, assertionAlgorithm));
}

function readIssued(reply: TokenReply, now: number): Issued | Extract<Access, { failure: string }> {
  // 400 and 401 name wrong credentials.
  if (reply.outcome === 'refused' || reply.outcome === 'token-refused') return refused;
  if (reply.outcome === 'unknown')
    return { failure: 'nonsense', problem: 'The server issues no tokens (404), so it is not LINE.' };
  if (reply.outcome !== 'answered') return { failure: reply.outcome, problem: reply.problem };
  const answer = parseJson(reply.text);
  const token = isObject(answer) ? answer.access_token : null;
  const seconds = isObject(answer) ? Number(answer.expires_in) : Number.NaN;
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,1000}$/.test(token) || !(seconds > 0)) {
    return { failure: 'nonsense', problem: "LINE's answer contains no access token." };
  }
  return { token, expiresAt: now + Math.min(seconds, lifeSecondsMax) * secondMs };
}
