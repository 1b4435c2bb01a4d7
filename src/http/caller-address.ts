/**
 * The address of a caller: one rule for every limit, log line and count. Fastify takes the caller's address from trusted proxies
 * (SHOAL_TRUSTED_PROXIES). A proxy may write a port with it.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { bareAddress, networkOf, proxiesOf } from '../network.ts';

type Call = Pick<FastifyRequest, 'ip'>;

/** The caller's address. */
export function addressOf(request: Call): string {
  return bareAddress(ipOf(request));
}

/** The key of limits by address: the caller's address, or the first 64 bits of an IPv6 address. */
export function callerNetwork(request: Call): string {
  return networkOf(ipOf(request));
}

/** Fastify's types do not know that a connection that has closed has no address. */
function ipOf({ ip }: { ip: string | undefined }): string {
  return ip ?? '';
}

/** The origin of a call that the server makes within its process for this request (`inject`). */
export function sameCaller(request: Call): { remoteAddress: string } {
  return { remoteAddress: addressOf(request) };
}

/**
 * Returns a check of requests. It warns once of a proxy in a private network that SHOAL_TRUSTED_PROXIES does not name: all its callers
 * share the limits of one address.
 */
export function unknownProxyWarning({
  isProxy,
  log,
}: {
  isProxy: (address: string) => boolean;
  log: { warn(message: string): void };
}): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => void {
  const isNear = proxiesOf('loopback,linklocal,uniquelocal');
  let isWarned = false;
  const warn = (address: string): void => {
    const peer = bareAddress(address);
    if (isProxy(peer) || !isNear(peer)) return;
    isWarned = true;
    log.warn(
      `X-Forwarded-For of ${peer} is ignored, so limits by address count all its callers as one. If it is a proxy of yours, name it in SHOAL_TRUSTED_PROXIES.`,
    );
  };
  return ({ headers, socket }) => {
    if (!isWarned && headers['x-forwarded-for'] !== undefined) warn(socket.remoteAddress ?? '');
  };
}
