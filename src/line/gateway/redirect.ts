/**
 * `/r/{code}`: redirects to the URL of a send's link, and counts the click.
 *
 * It redirects only to the URL that is stored under the code. Counting does not delay the redirect: the click goes into the inbox
 * without waiting for its commit, and is dropped if too much is waiting already. HEAD requests, prefetches and programs that
 * render link previews do not count.
 *
 * A visitor without a LINE id is a keyed hash of address, browser, send and day. Nothing is stored on the person's device, the
 * address is not stored, and the hashes of two sends or days cannot be linked.
 */
import { createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Keys } from '../../auth/keys.ts';
import { type BoundedCache, boundedCache } from '../../bounded-cache.ts';
import type { Sql } from '../../database/client.ts';
import { logFailure } from '../../database/outage.ts';
import { withinTime } from '../../database/within-time.ts';
import { addressOf } from '../../http/caller-address.ts';
import type { GroupCommit } from '../../inbox/group-commit.ts';
import { newId, type Random } from '../../random.ts';
import { type Clock, dayOf, lineZone } from '../../time.ts';
import { findLink, type StoredLink as Link } from '../clicks.ts';
import { writeRecord } from '../send-records.ts';

/** The result of an opened link, for the metrics. */
type ClickOutcome = 'counted' | 'not-a-person' | 'dropped' | 'unknown-code' | 'unavailable';

type RedirectOptions = {
  sql: Sql;
  keys: Keys;
  inbox: GroupCommit;
  /** With more bytes than this waiting in the inbox, clicks do not count, because webhooks take precedence. */
  waitingBytesMax: number;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error'>;
  onStored(botId: string): void;
  onClick(outcome: ClickOutcome): void;
};

const codeForm = /^[A-Za-z]{14}$/;
/** Cached links. A link never changes. */
const linksMax = 10_000;
const retryAfterSeconds = '2';
/** Link previews and crawlers; LINE's user agents are facebookexternalhit and line-poker. */
const programs =
  /bot|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|line-poker|whatsapp|telegram|slack|discord|embedly|headless|curl|wget|python|okhttp|java\/|go-http/i;

/** Adds `GET /r/{code}` and `HEAD` to the server. */
export function registerRedirect(app: FastifyInstance, options: RedirectOptions): void {
  const links = boundedCache<string, Link>(linksMax);
  app.route<{ Params: { code: string } }>({
    method: ['GET', 'HEAD'],
    url: '/r/:code',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      reply.headers({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex',
      });
      const { code } = request.params;
      const link = codeForm.test(code) ? await find(code, links, options) : null;
      if (link === 'unavailable') return refuse(reply, 503, link, options);
      if (link === null) return refuse(reply, 404, 'unknown-code', options);
      count(code, link, request, options);
      return reply.code(302).header('location', link.url).send();
    },
  });
}

async function find(
  code: string,
  links: BoundedCache<string, Link>,
  { sql, log }: RedirectOptions,
): Promise<Link | null | 'unavailable'> {
  const cachedLink = links.get(code);
  if (cachedLink) return cachedLink;
  try {
    const link = await withinTime(findLink(sql, code));
    if (link) links.set(code, link);
    return link;
  } catch (error) {
    logFailure(log, error, 'a link could not be looked up');
    return 'unavailable';
  }
}

function refuse(
  reply: FastifyReply,
  status: 404 | 503,
  outcome: ClickOutcome,
  { onClick }: RedirectOptions,
): FastifyReply {
  onClick(outcome);
  if (status === 503) reply.header('retry-after', retryAfterSeconds);
  const text = status === 404 ? 'This link does not exist.' : 'Please try again in a moment.';
  return reply.code(status).type('text/plain; charset=utf-8').send(text);
}

function count(code: string, link: Link, request: FastifyRequest, options: RedirectOptions): void {
  const { inbox, waitingBytesMax, clock, random, onStored, onClick } = options;
  const problem = !isPerson(request) ? 'not-a-person' : inbox.bytes > waitingBytesMax ? 'dropped' : null;
  if (problem !== null) {
    onClick(problem);
    return;
  }
  const clickedAt = clock();
  const person = link.person ?? visitorOf(request, link, { clickedAt, key: options.keys.current.visitorKey });
  const body = writeRecord({ kind: 'click', clickId: newId(random), code, person, clickedAt });
  inbox.put({ botId: link.botId, platform: 'line', source: 'line-send', body, receivedAt: clickedAt }).then(
    () => {
      onStored(link.botId);
      onClick('counted');
    },
    () => onClick('dropped'),
  );
}

function isPerson({ method, headers }: FastifyRequest): boolean {
  const agent = headers['user-agent'] ?? '';
  const purpose = `${headers['sec-purpose'] ?? ''} ${headers.purpose ?? ''}`;
  return method === 'GET' && agent !== '' && !programs.test(agent) && !/prefetch|preview/i.test(purpose);
}

function visitorOf(
  request: FastifyRequest,
  { linkSet }: Link,
  { clickedAt, key }: { clickedAt: number; key: Uint8Array },
): string {
  const agent = request.headers['user-agent'] ?? '';
  const identity = JSON.stringify([dayOf(clickedAt, lineZone), linkSet, addressOf(request), agent]);
  return `visitor:${createHmac('sha256', key).update(identity).digest('base64url').slice(0, 22)}`;
}
