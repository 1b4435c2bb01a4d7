/**
 * The addresses that may be called: public ones only, unless a setting allows all (against server-side request forgery).
 *
 * An address is checked when its owner sets it, and again with every connection: all IP addresses of the name are checked before
 * anything is sent. A name that resolves to another address later (DNS rebinding) is refused then. ipaddr.js has IANA's registries
 * of special-purpose addresses.
 */
import { lookup as lookUpName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';

type Resolved = { address: string; family: number };

export type Gate = {
  /** True: any address may be called. */
  allowPrivate: boolean;
  /** All IP addresses of a name. Throws when there are none. */
  lookup(name: string): Promise<Resolved[]>;
};

export const urlLengthMax = 2_048;
const setLookupMsMax = 2_000;

/** The gate of a server, with the system's name resolution. */
export function openGate({ allowPrivate }: { allowPrivate: boolean }): Gate {
  return { allowPrivate, lookup: (name) => lookUpName(name, { all: true }) };
}

/**
 * The problem of a callback address, for the message to its owner; null: none. A name that cannot be resolved now is accepted,
 * because every connection resolves it again.
 */
export async function callbackProblem(text: string, gate: Gate): Promise<string | null> {
  const url = parseUrl(text);
  if (typeof url === 'string') return url;
  const host = hostOf(url);
  const literal = literalProblem(url, gate);
  if (literal !== null || gate.allowPrivate || isIP(host) !== 0) return literal;
  const addresses = await Promise.race([
    gate.lookup(host).catch(() => []),
    pause(setLookupMsMax, [], { ref: false }),
  ]);
  return addresses.every(({ address }) => isPublic(address)) ? null : privateProblem;
}

/** The problem of a URL whose host is a forbidden IP address, which needs no name resolution; null: none. */
export function literalProblem(url: URL, { allowPrivate }: Gate): string | null {
  const host = hostOf(url);
  return allowPrivate || isIP(host) === 0 || isPublic(host) ? null : privateProblem;
}

/** The name resolution of every connection. Fails if any address of the name is forbidden. */
export function guardedLookup(gate: Gate): LookupFunction {
  return (name, { all }, done) => {
    gate.lookup(name).then(
      (addresses) => {
        const [first] = addresses;
        if (!gate.allowPrivate && !addresses.every(({ address }) => isPublic(address))) {
          done(new Error(privateProblem), []);
        } else if (all) done(null, addresses);
        else if (first) done(null, first.address, first.family);
        else done(new Error(`${name} has no address`), []);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };
}

/** Whether an IP address, in any spelling, is on the public internet. */
export function isPublic(text: string): boolean {
  // Only link-local addresses have a zone (fe80::1%eth0).
  if (isIP(text) === 0 || text.includes('%')) return false;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv4) return isPublicIpv4(address);
  if (address.match(nat64)) return isPublicIpv4(new ipaddr.IPv4(address.toByteArray().slice(-4)));
  return address.range() === 'unicast' && address.match(globalIpv6);
}

function isPublicIpv4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && address.toString() !== azureHost;
}

/** The host of a virtual machine at Azure, in a network that is otherwise public. */
const azureHost = '168.63.129.16';
/** Unassigned networks are outside. */
const globalIpv6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** IPv4 addresses for hosts without IPv4. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

const privateProblem =
  'the address leads to a private, local or reserved network; SHOAL_CALLBACK_PRIVATE=true would allow that';

/** The URL, or its problem. */
function parseUrl(text: string): URL | string {
  if (text.length > urlLengthMax) return `the address must have at most ${urlLengthMax} characters`;
  // The parser would silently drop tabs and line breaks.
  if (/[\s\p{Cc}\p{Cs}]/u.test(text) || !URL.canParse(text)) return 'the address must be a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'the address must begin with https:// or http://';
  if (url.username !== '' || url.password !== '')
    return 'the address must not hold a user name or a password';
  return url;
}

/** The URL's parser normalizes other spellings of an IPv4 address (decimal, octal, hexadecimal, short). */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
