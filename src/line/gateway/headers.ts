/**
 * Headers on their way through the gateway, as pure code: unchanged, but for those that are about one connection, about one
 * host, or meant for Shoal.
 */

/** RFC 9110, section 7.6.1, and what older programs send. */
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
/** Headers that proxies add about the caller and the way of the call to this host: `X-Forwarded-For`, `True-Client-IP`, … */
const aboutCaller = /forwarded|(^|-)(client|connecting|real)-ip$/;
/** Some servers take the method or the path of a call from these, past the checks of the gateway. */
const overrides = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];
/** `expect` is answered here. Host and authorization are set for LINE; cookies and CSRF tokens are of this host. */
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
/** What LINE may say of its own host would be taken as said of ours. */
const notForCaller = new Set([
  ...hopByHop,
  'alt-svc',
  'clear-site-data',
  'set-cookie',
  'strict-transport-security',
]);
export const ownPrefix = 'x-shoal-';

/**
 * A caller's headers for LINE, names and values in turn as Node gives them raw. `isBuffered`: the body is sent from memory, so
 * its length is known; else the length that the caller told goes on.
 */
export function headersForLine(
  raw: readonly string[],
  { accessToken, isBuffered }: { accessToken: string; isBuffered: boolean },
): string[] {
  const pairs = raw.flatMap((name, index) =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : [],
  );
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase()));
  const dropped = new Set([...notForLine, ...named, ...(isBuffered ? ['content-length'] : [])]);
  const kept = pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !lower.startsWith(ownPrefix) && !aboutCaller.test(lower) && !dropped.has(lower);
  });
  return [...kept.flat(), 'authorization', `Bearer ${accessToken}`];
}

export type AnswerHeaders = Record<string, string | string[] | undefined>;

/** LINE's headers for the caller. */
export function headersForCaller(headers: AnswerHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || notForCaller.has(name.toLowerCase()) ? [] : [[name, value]],
    ),
  );
}

/** The value of a header that stands once; null: there is none. */
export function headerOf(headers: AnswerHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
