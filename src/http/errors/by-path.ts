/**
 * Errors outside of routes: an unknown path, an invalid address, an invalid request. Each has the form of the API of its path, in
 * any spelling of the path. All other paths have LINE's form, `{"message": …}`.
 */
import { type IncomingMessage, maxHeaderSize, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '../../errors.ts';
import { lineError, sendLineError } from './line.ts';
import { mantagoError, sendError as sendMantagoError } from './mantago.ts';
import { problem, sendProblem } from './problem.ts';
import { refusalOf } from './refusals.ts';

/** An error as an API shows it. */
export type ErrorAnswer = { status: number; type: string; body: object };

type Form = {
  send(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    log: Pick<Logger, 'error' | 'info'>,
  ): FastifyReply;
  answer(refusal: Refusal): ErrorAnswer;
};

const forms: readonly [RegExp, Form][] = [
  [/^\/(api\/)?openapi(\/|$)/, { send: sendMantagoError, answer: mantagoError }],
  [/^\/(api\/v1|live-chat|mcp)(\/|$)/, { send: sendProblem, answer: problem }],
];
const otherForm: Form = {
  send: (error, request, reply, log) => sendLineError(error, request, reply, log, 'a request'),
  answer: lineError,
};

/** Answers a request that failed outside of an API's routes. */
export function sendByPath(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error' | 'info'>,
): FastifyReply {
  return formOf(request.url).send(error, request, reply, log);
}

/**
 * Refuses requests that Node answers without a body: those with an expectation other than `100-continue`, those
 * without exactly one `Host` (RFC 9112, section 3.2), and CONNECT. Returns the check of each request: its refusal, or undefined.
 */
export function refuseBrokenRequests(
  server: FastifyInstance['server'],
): (request: IncomingMessage) => Refusal | undefined {
  const unmet = new WeakSet<IncomingMessage>();
  server.on('request', (request, response) => {
    lastResponses.set(request.socket, response);
  });
  server.on('checkExpectation', (request, response) => {
    unmet.add(request);
    server.emit('request', request, response);
  });
  server.on('connect', ({ method }, socket) => {
    endWithRefusal(socket, '', new Refusal('METHOD_NOT_ALLOWED', `there is no ${method} here`));
  });
  return (request) => {
    const { host, expect } = request.headers;
    const isOne = host !== undefined && !host.includes(', ');
    if (!isOne && request.httpVersion === '1.1')
      return new Refusal('INPUT_INVALID', 'exactly one Host header is needed');
    if (expect !== undefined && unmet.has(request))
      return new Refusal('EXPECTATION_FAILED', 'the only supported expectation is 100-continue');
    return undefined;
  };
}

/** The response to the last request of each connection, finished or not. */
const lastResponses = new WeakMap<Duplex, ServerResponse>();

type ConnectionProblem = Error & { code?: string; rawPacket?: unknown };

/**
 * Answers bytes that Node cannot parse as HTTP, and closes the connection. Each request gets one answer: the bytes may be the body of
 * an answered request, or follow requests without an answer yet. The path is known if the bytes contain its line.
 */
export function refuseConnection(error: ConnectionProblem, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const response = lastResponses.get(socket);
  if (response?.req.complete && !response.closed) {
    response.once('close', () => refuseConnection(error, socket));
    return;
  }
  if (response?.req.complete === false && response.headersSent) {
    socket.destroySoon();
    return;
  }
  const packet = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : '';
  const path = /^[A-Z]+ (\S+)/.exec(packet)?.[1] ?? '';
  endWithRefusal(socket, path, toRefusal(error, path));
}

/** The time for a refused caller to read the answer and close the connection. */
const lingerMs = 2_000;

/** Writes an answer to the connection itself, and closes it. */
export function endWithRefusal(
  socket: Duplex,
  url: string,
  refusal: Refusal,
  headers: readonly string[] = [],
): void {
  const { status, type, body } = formOf(url).answer(refusal);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${type}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    ...headers,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  // The caller may keep sending and never close its side.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

function toRefusal(error: ConnectionProblem, path: string): Refusal {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Refusal('REQUEST_TOO_SLOW', 'the request took too long to arrive');
  if (error.code === 'HPE_HEADER_OVERFLOW' && path.length >= maxHeaderSize)
    return new Refusal('ADDRESS_TOO_LONG', 'the address is too long');
  return refusalOf(error) ?? new Refusal('INPUT_INVALID', 'the request is not HTTP');
}

function formOf(url: string): Form {
  const path = plainPath(url);
  return forms.find(([start]) => start.test(path))?.[1] ?? otherForm;
}

/** The path without a query, without doubled slashes and needless escapes. */
export function plainPath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path
    .replace(/%[2-7][0-9A-Fa-f]/g, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)))
    .replace(/\/{2,}/g, '/');
}
