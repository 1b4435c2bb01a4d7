/**
 * DATABASE_URL as its users write it: `postgres://user:password@host:port/name?settings`, where a password may hold characters
 * that a URL would have to escape. It comes out escaped, so that no part of a password is taken for a host and shows in an error.
 */
import { Refusal } from '../errors.ts';

const scheme = /^postgres(?:ql)?:\/\//;
/** A host, or several with commas; then the name and the settings. */
const hostsAndRest = /^[^/?#]*(?:\/[^?#]*)?(?:\?[^#]*)?$/;

/** The URL with its user and password escaped. Throws Refusal INPUT_INVALID, which repeats nothing of it. */
export function readDatabaseUrl(given: string): string {
  const [start = ''] = scheme.exec(given) ?? [];
  const [account, rest] = splitAccount(given.slice(start.length));
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

/** Host and name, without anything secret. */
export function placeOf(databaseUrl: string): string {
  const [, rest] = splitAccount(databaseUrl.replace(scheme, ''));
  return rest.split('?', 1)[0] ?? '';
}

/** The last @ ends the account: a password may hold one, hosts, names and settings may not. */
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
    // A bare % in a password.
    return text;
  }
}

/** The client takes several hosts; URL takes one. */
function withOneHost(url: string): string {
  return url.replace(/,[^/?@]*(?=[/?]|$)/, '');
}
