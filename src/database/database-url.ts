/**
 * Reads DATABASE_URL: `postgres://user:password@host:port/name?settings`. The password may contain characters that must be escaped in
 * a URL. This file escapes them, so that no part of a password is read as a host and appears in an error.
 */
import { Refusal } from '../errors.ts';

const scheme = /^postgres(?:ql)?:\/\//;
/** One or several hosts separated by commas, then the name and the settings. */
const hostsAndRest = /^[^/?#]*(?:\/[^?#]*)?(?:\?[^#]*)?$/;

/** Returns the URL with escaped user and password. Throws Refusal INPUT_INVALID without any part of the URL. */
export function readDatabaseUrl(input: string): string {
  const [start = ''] = scheme.exec(input) ?? [];
  const [account, rest] = splitAccount(input.slice(start.length));
  const [user = '', ...passwordParts] = account.split(':');
  const password = passwordParts.join(':');
  const escaped =
    account === '' ? '' : `${toEscaped(user)}${passwordParts.length > 0 ? `:${toEscaped(password)}` : ''}@`;
  const url = `postgres://${escaped}${rest}`;
  if (start !== '' && hostsAndRest.test(rest) && URL.canParse(withOneHost(url))) return url;
  throw new Refusal(
    'INPUT_INVALID',
    'DATABASE_URL must be of the form postgres://user:password@host:port/name. Escape other characters in user and password (@ is %40, # is %23, / is %2F, ? is %3F).',
  );
}

/** Host and database name, without credentials. */
export function placeOf(databaseUrl: string): string {
  const [, rest] = splitAccount(databaseUrl.replace(scheme, ''));
  return rest.split('?', 1)[0] ?? '';
}

/** The hosts of the URL, each as `host:port`. None if it names a socket. */
export function hostsOf(databaseUrl: string): string[] {
  const hosts = placeOf(databaseUrl).split('/', 1)[0] ?? '';
  return hosts.split(',').flatMap((host) => (host === '' ? [] : /:\d+$/.test(host) ? host : `${host}:5432`));
}

/** The same URL with other hosts. */
export function withHosts(databaseUrl: string, hosts: readonly string[]): string {
  const [account, rest] = splitAccount(databaseUrl.replace(scheme, ''));
  return `postgres://${account === '' ? '' : `${account}@`}${rest.replace(/^[^/?]*/, hosts.join(','))}`;
}

/** The last @ ends the account: a password can contain an @; hosts, names and settings cannot. */
function splitAccount(text: string): [account: string, rest: string] {
  const at = /^[/?]/.test(text) ? -1 : text.lastIndexOf('@');
  return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 1)];
}

function toEscaped(text: string): string {
  return encodeURIComponent(decode(text));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A password with an unescaped %.
    return text;
  }
}

/** The client accepts several hosts, `URL` only one. */
function withOneHost(url: string): string {
  return url.replace(/,[^/?@]*(?=[/?]|$)/, '');
}
