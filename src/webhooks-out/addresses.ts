/**
 * Which addresses may be called (against server-side request forgery): public ones only, unless a setting allows all.
 *
 * An address is looked at twice: when it is set, so that the owner hears of it, and for every connection, where each IP address
 * that the name stands for at that moment is checked before anything is sent to it. A name that leads elsewhere later
 * (DNS rebinding) is refused then. Source: IANA's registries of special-purpose addresses.
 */
import { lookup as lookUpName } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

type Resolved = { address: string; family: number };

export type Gate = {
  /** True: any address may be called. */
  allowPrivate: boolean;
  /** All IP addresses of a name. Throws when there are none. */
  lookup(name: string): Promise<Resolved[]>;
};

export const urlLengthMax = 2_048;
const setLookupMsMax = 2_000;

/** The gate of a server: names are looked up as the system does. */
export function openGate({ allowPrivate }: { allowPrivate: boolean }): Gate {
  return { allowPrivate, lookup: (name) => lookUpName(name, { all: true }) };
}

/**
 * What is wrong with a callback address, in words for whoever sets it; null: nothing. A name that cannot be looked up just now
 * is taken: every connection looks again.
 */
export async function callbackProblem(text: string, gate: Gate): Promise<string | null> {
  const url = parseUrl(text);
  if (typeof url === 'string') return url;
  const host = hostOf(url);
  const literal = literalProblem(url, gate);
  if (literal !== null || gate.allowPrivate || isIP(host) !== 0) return literal;
  const found = await Promise.race([
    gate.lookup(host).catch(() => []),
    pause(setLookupMsMax, [], { ref: false }),
  ]);
  return found.every(({ address }) => isPublic(address)) ? null : privateProblem;
}

/** Refuses a URL whose host is an IP address that may not be called: no look-up takes place for such. Null: it may. */
export function literalProblem(url: URL, { allowPrivate }: Gate): string | null {
  const host = hostOf(url);
  return allowPrivate || isIP(host) === 0 || isPublic(host) ? null : privateProblem;
}

/** The look-up of every connection: fails when any address of the name may not be called. */
export function guardedLookup(gate: Gate): LookupFunction {
  return (name, { all }, done) => {
    gate.lookup(name).then(
      (found) => {
        const [first] = found;
        if (!gate.allowPrivate && !found.every(({ address }) => isPublic(address))) {
          done(new Error(privateProblem), []);
        } else if (all) done(null, found);
        else if (first) done(null, first.address, first.family);
        else done(new Error(`${name} has no address`), []);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };
}

/** True for an IP address, in any spelling, that belongs to the public internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !specialIpv4.check(address, 'ipv4');
  // A zone (fe80::1%eth0) is there for link-local addresses only.
  if (family !== 6 || address.includes('%')) return false;
  return globalIpv6.check(address, 'ipv6') && !specialIpv6.check(address, 'ipv6');
}

const privateProblem =
  'the address leads to a private, local or reserved network; SHOAL_CALLBACK_PRIVATE=true would allow that';

/** The URL, or what is wrong with it. */
function parseUrl(text: string): URL | string {
  if (text.length > urlLengthMax) return `the address must have at most ${urlLengthMax} characters`;
  // The parser would quietly leave out tabs and line breaks.
  if (/[\s\p{Cc}\p{Cs}]/u.test(text) || !URL.canParse(text)) return 'the address must be a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'the address must begin with https:// or http://';
  if (url.username !== '' || url.password !== '')
    return 'the address must not hold a user name or a password';
  return url;
}

/** The URL's parser has already turned the other spellings of an IPv4 address (decimal, octal, hexadecimal, short) into one. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

const specialSubnets: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared by carriers; metadata of Alibaba Cloud
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // the host of a virtual machine at Azure
  ['169.254.0.0', 16], // link-local; metadata of most clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; metadata of Oracle Cloud
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // former 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
];

const specialIpv4 = new BlockList();
const globalIpv6 = new BlockList();
const specialIpv6 = new BlockList();

// Global unicast only: loopback, link-local, unique-local, multicast and mapped IPv4 addresses all lie outside.
globalIpv6.addSubnet('2000::', 3, 'ipv6');
// NAT64: an IPv4 address as hosts without IPv4 reach it.
globalIpv6.addSubnet('64:ff9b::', 96, 'ipv6');
specialIpv6.addSubnet('2001::', 23, 'ipv6'); // protocol assignments, Teredo
specialIpv6.addSubnet('2001:db8::', 32, 'ipv6'); // documentation
specialIpv6.addSubnet('2002::', 16, 'ipv6'); // 6to4
specialIpv6.addSubnet('3fff::', 20, 'ipv6'); // documentation
for (const [network, prefix] of specialSubnets) {
  specialIpv4.addSubnet(network, prefix, 'ipv4');
  specialIpv6.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
}
