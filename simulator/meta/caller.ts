/** The callers of the Graph API simulator: their tokens, permissions and limits of calls. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isObject } from '../../src/json.ts';
import type { MetaCredentials, TokenKind, TokenState } from './credentials.ts';
import { tokenKinds } from './credentials.ts';
import {
  accountLimited,
  appLimited,
  GraphError,
  permissionMissing,
  tokenExpired,
  tokenInvalid,
  tokenMissing,
} from './graph-error.ts';
import type { MetaPlatform } from './people.ts';
import type { MetaRateLimits } from './rate-limits.ts';

export type CallerParts = {
  credentials: MetaCredentials;
  tokens: Record<TokenKind, TokenState>;
  limits: MetaRateLimits;
  now(): number;
};

const platformOfToken = { page: 'facebook', instagram: 'instagram', whatsapp: 'whatsapp' } as const;

/** A query parameter or form field as text; undefined: it is missing. */
export function parameter({ query, body }: FastifyRequest, name: string): string | undefined {
  for (const source of [query, body]) {
    const value = isObject(source) ? source[name] : undefined;
    if (typeof value === 'string') return value;
  }
  return undefined;
}

/** The caller's token. Throws GraphError if it is missing, unknown, revoked or expired. */
export function callerOf(parts: CallerParts, request: FastifyRequest): TokenKind | 'app' {
  const [, bearer] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const token = bearer ?? parameter(request, 'access_token');
  if (token === undefined) throw new GraphError(tokenMissing);
  const { appId, appSecret } = parts.credentials;
  return token === `${appId}|${appSecret}` ? 'app' : validToken(parts, token);
}

/** The kind of an access token. Throws GraphError as `callerOf`. */
export function validToken(parts: CallerParts, token: string): TokenKind {
  const { credentials, tokens, now } = parts;
  const kind = tokenKinds.find((one) => credentials.accessTokens[one] === token);
  if (kind === undefined || tokens[kind].isRevoked) throw new GraphError(tokenInvalid);
  const { expiresAt } = tokens[kind];
  if (expiresAt !== null && expiresAt <= now()) throw new GraphError(tokenExpired);
  return kind;
}

/**
 * Allows a call about the account of a platform. `scopes`: the permission that each kind of token needs. Counts the call, and
 * throws GraphError for a token of another account, a missing permission or an exceeded limit.
 */
export function authorize(
  parts: CallerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { platform, scopes }: { platform: MetaPlatform; scopes: Partial<Record<TokenKind, string>> },
): TokenKind {
  const caller = callerOf(parts, request);
  const scope = caller === 'app' ? undefined : scopes[caller];
  if (caller === 'app' || scope === undefined)
    throw new GraphError(permissionMissing(Object.values(scopes)[0] ?? ''));
  countCall(parts, reply, platform);
  if (!parts.tokens[caller].scopes.includes(scope)) throw new GraphError(permissionMissing(scope));
  return caller;
}

/** Counts a call of the token's own account, such as `/me`. */
export function countOwnCall(parts: CallerParts, reply: FastifyReply, kind: TokenKind): void {
  countCall(parts, reply, platformOfToken[kind]);
}

function countCall(
  { credentials, limits, now }: CallerParts,
  reply: FastifyReply,
  platform: MetaPlatform,
): void {
  const accountIds = {
    facebook: credentials.pageId,
    instagram: credentials.instagramId,
    whatsapp: credentials.businessAccountId,
  };
  const exceeded = limits.take(platform, now());
  reply.headers(limits.headers(platform, accountIds[platform], now()));
  if (exceeded !== null) throw new GraphError(exceeded === 4 ? appLimited : accountLimited(exceeded));
}
