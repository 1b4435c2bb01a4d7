/**
 * Addresses of callers: their normal form, their network for rate limits, and trusted proxies.
 */
import ipaddr from 'ipaddr.js';
import { invalidInput } from './errors.ts';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

const groupsOfNetwork = 4;
const namedRanges: Readonly<Record<string, readonly string[]>> = {
  none: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Returns the address in its normal form: without port, brackets and zone, and IPv4 not mapped to IPv6. Other texts stay unchanged. */
export function bareAddress(text: string): string {
  return parse(text)?.toString() ?? text;
}

/** Returns the unit of rate limits: an IPv4 address, or the first 64 bits of an IPv6 address, which belong to one household. */
export function networkOf(text: string): string {
  const address = parse(text);
  if (address === null) return text;
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const groups = address.parts.slice(0, groupsOfNetwork).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}

/**
 * Returns a test for proxies. The list contains addresses, networks, or `loopback`, `linklocal`, `uniquelocal`, `none`. Throws Refusal
 * INPUT_INVALID for anything else.
 */
export function proxiesOf(list: string): (address: string) => boolean {
  const ranges = list
    .split(',')
    .map((item) => item.trim())
    .flatMap((item) => namedRanges[item] ?? [item])
    .map(readRange);
  return (text) => {
    const address = parse(text);
    return (
      address !== null && ranges.some((range) => range[0].kind() === address.kind() && address.match(range))
    );
  };
}

function readRange(text: string): Range {
  if (isAddress(text)) {
    const address = ipaddr.process(text);
    return [address, address.toByteArray().length * 8];
  }
  if (isAddress(text.split('/', 1)[0] ?? '') && ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  throw invalidInput(
    `SHOAL_TRUSTED_PROXIES must contain addresses or networks separated by commas (10.0.0.5, 10.0.0.0/8, ::1), or ${Object.keys(namedRanges).join(', ')}, not "${text}".`,
  );
}

/** Some proxies append the caller's port: `203.0.113.7:51234`, `[2001:db8::1]:443`. */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const [, inBrackets, withPort] = /^\[([^\]]+)\](?::\d+)?$|^([^:]+):\d+$/.exec(text) ?? [];
  const [address = ''] = (inBrackets ?? withPort ?? text).split('%', 1);
  return isAddress(address) ? ipaddr.process(address) : null;
}

// The library also accepts 127.1 and 0x7f.0.0.1.
function isAddress(text: string): boolean {
  return text.includes(':') ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
}
