/**
 * Errors that no route answers: a path that does not exist, a broken address, a request that is no HTTP. Each has the form of the
 * API that its path falls under, whatever way the path is written. All other paths have LINE's form, `{"message": …}`.
 */
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '../errors.ts';
import { refusalOf } from './http-refusals.ts';
import { lineError, sendLineError } from './line-insight-errors.ts';
import { problem, sendProblem } from './management-errors.ts';
import { mantagoError, sendError as sendMantagoError } from './mantago-errors.ts';

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
  [/^\/(api\/v1|live-chat)(\/|$)/, { send: sendProblem, answer: problem }],
];
const otherForm: Form = {
  send: (error, request, reply, log) => sendLineError(error, request, reply, log, 'a request'),
  answer: lineError,
};

/** Answers a request that failed outside of an API's own routes. */
export function sendByPath(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error' | 'info'>,
): FastifyReply {
  return formOf(request.url).send(error, request, reply, log);
}

/** The time for a refused caller to read the answer and close the connection. */
const lingerMs = 2_000;

type ConnectionProblem = Error & { code?: string; rawPacket?: unknown };

/**
 * Answers what Node could not read as HTTP, and closes the connection. The path is known when its line came with the bytes that
 * could not be read.
 */
export function refuseConnection(error: ConnectionProblem, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const packet = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : '';
  const path = /^[A-Z]+ (\S+)/.exec(packet)?.[1] ?? '';
  const { status, type, body } = formOf(path).answer(toRefusal(error, path));
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${type}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  // The caller may go on sending and never close its side.
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
