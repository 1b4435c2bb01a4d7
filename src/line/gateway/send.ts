/**
 * One send on its way: to LINE once, then into the inbox, then LINE's answer to the caller.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LineCaller } from '../../bots/line-tokens.ts';
import { isOutage, logOutage } from '../../database/outage.ts';
import { withinTime } from '../../database/within-time.ts';
import { Refusal } from '../../errors.ts';
import { NotStored } from '../../inbox/group-commit.ts';
import { secondMs } from '../../time.ts';
import { putLinks } from '../clicks.ts';
import type { SendKind } from '../daily-figures.ts';
import { requestIdHeader } from '../headers.ts';
import { writeRecord } from '../send-records.ts';
import { linkSend } from './click-links.ts';
import { headersForCaller, headersForLine } from './headers.ts';
import { type LineHost, unknownOutcome } from './line-host.ts';
import type { GatewayOptions } from './options.ts';
import { acceptedRequestId, isSuccess, personOf, readBody, toRecord } from './send-facts.ts';
import { readTarget } from './target.ts';

/** A caller with the token that LINE takes. */
export type OpenCaller = LineCaller & { accessToken: string };

const recordMsUsual = 10 * secondMs;
const recordPauseMs = 200;
const trackHeader = 'x-shoal-track-clicks';

export type Sending = GatewayOptions & {
  line: LineHost;
  /** What the codes of links stand behind; null: no clicks are counted. */
  prefix: string | null;
  caller: OpenCaller;
};

/** Before the body is read. Throws Refusal CALL_INVALID for another spelling of the address. */
export function checkSendTarget(kind: SendKind, request: FastifyRequest): void {
  const { path } = readTarget(request.raw.url ?? '');
  if (path !== `/v2/bot/message/${kind}`)
    throw new Refusal('CALL_INVALID', 'The address is not in its plain form.');
}

/**
 * Hands a send on and gives LINE's answer, after the commit of its record where LINE took it. Throws Refusal: nothing was sent
 * (CALL_INVALID, GATEWAY_UNAVAILABLE), it is not known (LINE_UNREACHABLE, LINE_TOO_SLOW, unless
 * the message says that nothing was sent), or LINE took it (SEND_NOT_RECORDED).
 */
export async function send(
  kind: SendKind,
  request: FastifyRequest,
  reply: FastifyReply,
  options: Sending,
): Promise<FastifyReply> {
  const { line, clock, sent, caller } = options;
  const { path, query } = readTarget(request.raw.url ?? '');
  const { body, linkSet, content } = await prepare(kind, request, options);
  const headers = headersForLine(request.raw.rawHeaders, {
    accessToken: caller.accessToken,
    isBuffered: true,
  });
  const answer = await line
    .call({ method: 'POST', path: path + query, headers, body })
    .catch((error: unknown) => {
      sent(kind, 'failed');
      throw error;
    });
  const requestId = acceptedRequestId(answer);
  if (requestId !== null) {
    const record = toRecord(kind, content, { requestId, sentAt: clock(), linkSet });
    await putRecord(reply, options, { botId: caller.botId, kind, requestId, record: writeRecord(record) });
  }
  sent(kind, requestId !== null ? 'recorded' : isSuccess(answer.status) ? 'failed' : 'refused-by-line');
  if (requestId === null && isSuccess(answer.status)) {
    throw new Refusal(
      'LINE_UNREACHABLE',
      `The answer is not LINE's: it has no X-Line-Request-Id. ${unknownOutcome}`,
    );
  }
  if (answer.body === null) {
    if (requestId !== null) tellAccepted(reply, requestId);
    throw new Refusal(
      'LINE_UNREACHABLE',
      requestId === null
        ? `LINE's answer broke off. ${unknownOutcome}`
        : 'LINE accepted the request, but its answer broke off. Do not send it again.',
    );
  }
  reply.removeHeader(requestIdHeader);
  return reply.code(answer.status).headers(headersForCaller(answer.headers)).send(answer.body);
}

type Prepared = {
  body: Uint8Array;
  /** The body as it was read; null: it is no JSON object. */
  content: ReturnType<typeof readBody>;
  linkSet: string | null;
};

/** What goes to LINE: the body as it came, or with links that are stored already. */
async function prepare(
  kind: SendKind,
  { body: received, headers }: FastifyRequest,
  { caller, sql, keys, clock, random, prefix, log }: Sending,
): Promise<Prepared> {
  const body = Buffer.isBuffer(received) ? received : Buffer.alloc(0);
  const content = readBody(body);
  const isTracked = readTracking(headers[trackHeader], { prefix, usual: caller.trackClicks });
  if (!isTracked || prefix === null || content === null) return { body, content, linkSet: null };
  const { botId } = caller;
  const person = personOf(kind, content);
  const retryKey = headers['x-line-retry-key'];
  const linked = linkSend(body, content, {
    botId,
    person,
    retryKey: typeof retryKey === 'string' ? retryKey : null,
    prefix,
    linkKey: keys.linkKey,
    random,
  });
  if (linked === null) return { body, content, linkSet: null };
  await withinTime(putLinks(sql, botId, linked.links, clock())).catch((error: unknown) => {
    if (isOutage(error)) logOutage(log, error);
    else log.error({ err: error, botId }, 'links could not be stored');
    throw new Refusal('GATEWAY_UNAVAILABLE', 'The database does not answer. Nothing was sent.');
  });
  return { body: linked.body, content, linkSet: linked.linkSet };
}

function readTracking(
  header: string | string[] | undefined,
  { prefix, usual }: { prefix: string | null; usual: boolean },
): boolean {
  if (header === undefined) return usual;
  if (header !== 'true' && header !== 'false') {
    throw new Refusal('CALL_INVALID', 'X-Shoal-Track-Clicks must be true or false. Nothing was sent.');
  }
  if (header === 'true' && prefix === null) {
    throw new Refusal(
      'CALL_INVALID',
      'Clicks can only be counted with SHOAL_PUBLIC_URL set. Nothing was sent.',
    );
  }
  return header === 'true';
}

/** Resolves after the commit; a store that fails for a moment is asked again. Throws Refusal SEND_NOT_RECORDED. */
async function putRecord(
  reply: FastifyReply,
  { inbox, clock, stored, sent, log, recordMs = recordMsUsual }: Sending,
  {
    botId,
    kind,
    requestId,
    record,
  }: { botId: string; kind: SendKind; requestId: string; record: Uint8Array },
): Promise<void> {
  const endsAt = performance.now() + recordMs;
  for (;;) {
    try {
      const receivedAt = clock();
      await inbox.put({ botId, platform: 'line', source: 'line-send', body: record, receivedAt });
      stored(botId);
      return;
    } catch (error) {
      if (!(error instanceof NotStored)) throw error;
      if (performance.now() >= endsAt) {
        log.error({ err: error, botId, kind, requestId }, 'a send that LINE took could not be recorded');
        break;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, recordPauseMs));
  }
  sent(kind, 'not-recorded');
  tellAccepted(reply, requestId);
  throw new Refusal(
    'SEND_NOT_RECORDED',
    'LINE accepted the request, but it could not be recorded here. Repeat it only with the same X-Line-Retry-Key.',
  );
}

/** The id under which LINE took what could not be answered as LINE did. */
function tellAccepted(reply: FastifyReply, requestId: string): void {
  reply.header(requestIdHeader, requestId).header('x-line-accepted-request-id', requestId);
}
