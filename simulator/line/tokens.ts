/**
 * LINE's calls about channel access tokens: stateless and short-lived ones are issued and verified, by channel id and secret
 * (Messaging API reference, "Channel access token"). The simulator does not know keys of assertions.
 */
import type { FastifyInstance } from 'fastify';
import { secondMs } from '../../src/time.ts';
import { hexOf } from '../events/random.ts';

/** `accessToken`: the long-lived token. */
export type ChannelCredentials = { channelId: string; channelSecret: string; accessToken: string };

type Kind = 'stateless' | 'short-lived';

const lifeSeconds = { stateless: 900, 'short-lived': 2_592_000 };
const longLivedSeconds = 10 * 365 * 86_400;

export class Tokens {
  readonly #credentials: ChannelCredentials;
  readonly #now: () => number;
  readonly #issued = new Map<string, { kind: Kind; expiresAt: number }>();

  constructor(credentials: ChannelCredentials, now: () => number) {
    this.#credentials = credentials;
    this.#now = now;
  }

  /** Issues a token; null: wrong credentials. */
  issue(kind: Kind, { client_id, client_secret }: Record<string, string | undefined>): string | null {
    const { channelId, channelSecret } = this.#credentials;
    if (client_id !== channelId || client_secret !== channelSecret) return null;
    const token = hexOf(this.#issued.size, `${kind} token ${channelSecret}`);
    this.#issued.set(token, { kind, expiresAt: this.#now() + lifeSeconds[kind] * secondMs });
    return token;
  }

  /** The seconds until a token expires; null: it is not valid. `kind` null: of any kind. */
  secondsLeft(token: string, kind: Kind | null): number | null {
    if (token === this.#credentials.accessToken) return kind === 'stateless' ? null : longLivedSeconds;
    const issued = this.#issued.get(token);
    if (!issued || issued.expiresAt <= this.#now() || (kind !== null && issued.kind !== kind)) return null;
    return Math.floor((issued.expiresAt - this.#now()) / secondMs);
  }
}

/** Adds the calls. */
export function addTokenCalls(
  app: FastifyInstance,
  { tokens, channelId }: { tokens: Tokens; channelId: string },
): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(text))));
    },
  );
  const invalid = { error: 'invalid_request', error_description: 'invalid parameter' };
  for (const [url, kind] of [
    ['/oauth2/v3/token', 'stateless'],
    ['/v2/oauth/accessToken', 'short-lived'],
  ] as const) {
    app.post<{ Body: Record<string, string> }>(url, async ({ body }, reply) => {
      const token = body.grant_type === 'client_credentials' ? tokens.issue(kind, body) : null;
      if (token === null) return reply.code(400).send(invalid);
      return { token_type: 'Bearer', access_token: token, expires_in: lifeSeconds[kind] };
    });
  }
  const verify = (token: string | undefined, kind: Kind) => {
    const seconds = token === undefined ? null : tokens.secondsLeft(token, kind);
    return seconds === null ? null : { client_id: channelId, expires_in: seconds };
  };
  app.get<{ Querystring: { access_token?: string } }>('/oauth2/v2.1/verify', async ({ query }, reply) => {
    return verify(query.access_token, 'stateless') ?? reply.code(400).send(invalid);
  });
  app.post<{ Body: Record<string, string> }>('/v2/oauth/verify', async ({ body }, reply) => {
    return verify(body.access_token, 'short-lived') ?? reply.code(400).send(invalid);
  });
}
