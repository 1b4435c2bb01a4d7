/**
 * Headers that pass through the gateway, as pure code. They stay unchanged, except headers about one connection, about one host,
 * or for Shoal.
 */
import type { AnswerHeaders } from '../line-host.ts';

/** RFC 9110, section 7.6.1, and headers of older programs. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Headers of proxies about the caller and the route to this host: `X-Forwarded-For`, `True-Client-IP`, … */
const aboutCaller = /forwarded|(^|-)(client|connecting|real)-ip$/;
/** Some servers read the method or path of a call from these, which would bypass the checks of the gateway. */
const overrides = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];
/** Shoal handles `expect` and sets host and authorization itself. Cookies and CSRF tokens belong to this host. */
const notForLine = new Set([
  ...hopByHop,
  ...overrides,
  'authorization',
  'cookie',
  'expect',
  'host',
  'via',
  'x-csrf-token',
]);
/** Statements of LINE about its own host would apply to ours. */
const notForCaller = new Set([
  ...hopByHop,
  'alt-svc',
  'clear-site-data',
  'set-cookie',
  'strict-transport-security',
]);
const shoalPrefix = 'x-shoal-';

/**
 * Returns a caller's headers for LINE, alternating names and values like Node's raw headers. `accessToken` null: the call needs none. `isBuffered`: the body is in memory,
 * so its length is known; otherwise the caller's length is forwarded.
 */
export function headersForLine(
  raw: readonly string[],
  { accessToken, isBuffered }: { accessToken: string | null; isBuffered: boolean },
): string[] {
  const pairs = raw.flatMap((name, index) =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : [],
  );
  const connectionOptions = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase()));
  const removedNames = new Set([
    ...notForLine,
    ...connectionOptions,
    ...(isBuffered ? ['content-length'] : []),
  ]);
  const forwarded = pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !lower.startsWith(shoalPrefix) && !aboutCaller.test(lower) && !removedNames.has(lower);
  });
  const authorization = accessToken === null ? [] : ['authorization', `Bearer ${accessToken}`];
  return [...forwarded.flat(), ...authorization];
}

/** Returns LINE's headers for the caller. */
export function headersForCaller(headers: AnswerHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || notForCaller.has(name.toLowerCase()) ? [] : [[name, value]],
    ),
  );
}

/** Returns the value of a header that occurs once; null: none. */
export function headerOf(headers: AnswerHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
