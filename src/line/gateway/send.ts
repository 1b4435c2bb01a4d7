/**
 * One send: call LINE once, record the send in the inbox, return LINE's answer.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Keys } from '../../auth/keys.ts';
import type { LineCaller } from '../../bots/line-tokens.ts';
import type { Sql } from '../../database/client.ts';
import { logFailure } from '../../database/outage.ts';
import { withinTime } from '../../database/within-time.ts';
import { Refusal } from '../../errors.ts';
import { type GroupCommit, NotStored } from '../../inbox/group-commit.ts';
import type { Random } from '../../random.ts';
import { type Clock, secondMs } from '../../time.ts';
import type { LineAccess } from '../access.ts';
import { putLinks } from '../clicks.ts';
import type { SendKind } from '../daily-figures.ts';
import { requestIdHeader } from '../headers.ts';
import { type LineHost, type LineTimes, unknownOutcome } from '../line-host.ts';
import { writeRecord } from '../send-records.ts';
import type { VerifiedTokens } from '../verified-tokens.ts';
import { linkSend } from './click-links.ts';
import { headersForCaller, headersForLine } from './headers.ts';
import { takesRetryKey } from './send-calls.ts';
import { acceptedRequestId, isSuccess, personOf, readBody, toRecord } from './send-facts.ts';
import { readTarget } from './target.ts';

/** Makes a call with LINE's access token. Throws Refusal CHANNEL_CLOSED, LINE_UNREACHABLE, and those of the call. */
export type WithToken = <Answer extends { status: number }>(
  call: (accessToken: string) => Promise<Answer>,
  /** False: the call cannot be made twice. */
  options?: { isRepeatable: boolean },
) => Promise<Answer>;

export type OpenCaller = LineCaller & { withToken: WithToken };

/** The result of a send, as the metrics count it. */
type SendOutcome = 'recorded' | 'refused-by-line' | 'failed' | 'not-recorded';

export type GatewayOptions = {
  sql: Sql;
  keys: Keys;
  /** Tokens of channels for calls to LINE. */
  access: LineAccess;
  /** Tokens of callers that LINE has verified. */
  verified: VerifiedTokens;
  inbox: GroupCommit;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error' | 'warn'>;
  /** LINE's address, and the time limits of its calls. */
  lineApi: string;
  times?: Partial<LineTimes>;
  /** The time limit for recording a send that LINE accepted, ms. */
  recordMs?: number;
  /** True: forward calls that are not sends. */
  passThrough: boolean;
  /** The public address of this server; null: not set, so clicks do not count. */
  publicUrl: string | null;
  /** Called after each commit with a record of the bot. */
  onStored(botId: string): void;
  onSend(kind: SendKind, outcome: SendOutcome): void;
};

const recordMsDefault = 10 * secondMs;
const recordPauseMs = 200;
const trackHeader = 'x-shoal-track-clicks';

export type Sending = GatewayOptions & {
  line: LineHost;
  /** The part of a link before its code; null: clicks do not count. */
  prefix: string | null;
  caller: OpenCaller;
};

/** Runs before the body is read. Throws Refusal CALL_INVALID for another spelling of the path. */
export function checkSendTarget(plainPath: string, request: FastifyRequest): void {
  const { path } = readTarget(request.raw.url ?? '');
  if (path !== plainPath) throw new Refusal('CALL_INVALID', 'The path must be in its plain form.');
}

/**
 * Forwards a send, again if LINE refuses an issued token, and returns LINE's answer; if LINE accepted it, after the commit of its record. Throws Refusal: CALL_INVALID and
 * GATEWAY_UNAVAILABLE if nothing was sent, LINE_UNREACHABLE and LINE_TOO_SLOW if LINE may have accepted it (unless the message
 * says that nothing was sent), and SEND_NOT_RECORDED if LINE accepted it.
 */
export async function send(
  kind: SendKind,
  request: FastifyRequest,
  reply: FastifyReply,
  options: Sending,
): Promise<FastifyReply> {
  const { line, clock, onSend, caller } = options;
  const { path, query } = readTarget(request.raw.url ?? '');
  const { body, linkSet, content } = await prepare(kind, request, options);
  const answer = await caller
    .withToken((accessToken) => {
      const headers = headersForLine(request.raw.rawHeaders, { accessToken, isBuffered: true });
      return line.call({ method: 'POST', path: path + query, headers, body });
    })
    .catch((error: unknown) => {
      onSend(kind, 'failed');
      throw error;
    });
  const requestId = acceptedRequestId(answer);
  if (requestId !== null) {
    const record = toRecord(kind, content, { requestId, sentAt: clock(), linkSet });
    await putRecord(reply, options, { botId: caller.botId, kind, requestId, record: writeRecord(record) });
  }
  onSend(kind, requestId !== null ? 'recorded' : isSuccess(answer.status) ? 'failed' : 'refused-by-line');
  if (requestId === null && isSuccess(answer.status)) {
    throw new Refusal(
      'LINE_UNREACHABLE',
      `The answer is not LINE's: it has no X-Line-Request-Id. ${unknownOutcome}`,
    );
  }
  if (answer.body === null) {
    if (requestId !== null) addAcceptedId(reply, requestId);
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

/** Returns the body for LINE (unchanged, or with links that are already stored), and its JSON object as `content` (null: none). */
async function prepare(
  kind: SendKind,
  { body: requestBody, headers }: FastifyRequest,
  { caller, sql, keys, clock, random, prefix, log }: Sending,
) {
  const body = Buffer.isBuffer(requestBody) ? requestBody : Buffer.alloc(0);
  const content = readBody(body);
  const isTracked = readTracking(headers[trackHeader], { kind, prefix, isDefault: caller.trackClicks });
  if (!isTracked || prefix === null || content === null) return { body, content, linkSet: null };
  const { botId } = caller;
  const person = personOf(kind, content);
  const retryKey = headers['x-line-retry-key'];
  const linked = linkSend(body, content, {
    botId,
    person,
    retryKey: typeof retryKey === 'string' ? retryKey : null,
    prefix,
    linkKey: keys.current.linkKey,
    random,
  });
  if (linked === null) return { body, content, linkSet: null };
  await withinTime(putLinks(sql, botId, linked.links, clock())).catch((error: unknown) => {
    logFailure(log, error, `links of the bot ${botId} could not be stored`);
    throw new Refusal('GATEWAY_UNAVAILABLE', 'The database does not answer. Nothing was sent.');
  });
  return { body: linked.body, content, linkSet: linked.linkSet };
}

function readTracking(
  header: string | string[] | undefined,
  { kind, prefix, isDefault }: { kind: SendKind; prefix: string | null; isDefault: boolean },
): boolean {
  // LINE reviews the messages of phone-number pushes, so they stay unchanged.
  const canTrack = kind !== 'pnp';
  if (header === undefined) return isDefault && canTrack;
  if (header !== 'true' && header !== 'false') {
    throw new Refusal('CALL_INVALID', 'X-Shoal-Track-Clicks must be true or false. Nothing was sent.');
  }
  if (header === 'true' && !canTrack) {
    throw new Refusal('CALL_INVALID', 'Clicks of phone-number pushes cannot be counted. Nothing was sent.');
  }
  if (header === 'true' && prefix === null) {
    throw new Refusal('CALL_INVALID', 'Counting clicks needs SHOAL_PUBLIC_URL. Nothing was sent.');
  }
  return header === 'true';
}

/** Resolves after the commit. Retries while the inbox cannot store. Throws Refusal SEND_NOT_RECORDED. */
async function putRecord(
  reply: FastifyReply,
  { inbox, clock, onStored, onSend, log, recordMs = recordMsDefault }: Sending,
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
      onStored(botId);
      return;
    } catch (error) {
      if (!(error instanceof NotStored)) throw error;
      if (performance.now() >= endsAt) {
        log.error({ err: error, botId, kind, requestId }, 'a send that LINE accepted could not be recorded');
        break;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, recordPauseMs));
  }
  onSend(kind, 'not-recorded');
  addAcceptedId(reply, requestId);
  throw new Refusal(
    'SEND_NOT_RECORDED',
    `LINE accepted the request, but it could not be recorded here. ${
      takesRetryKey(kind) ? 'Repeat it only with the same X-Line-Retry-Key.' : 'Do not repeat it.'
    }`,
  );
}

/** Adds LINE's request id of an accepted send to an error. */
function addAcceptedId(reply: FastifyReply, requestId: string): void {
  reply.header(requestIdHeader, requestId).header('x-line-accepted-request-id', requestId);
}
