/**
 * Bounds the bytes of request bodies in memory: in all, and for each caller, so that no caller uses all of them.
 *
 * A tiny body does not count: its connection takes more memory. A small one counts with its announced length before it is read. A
 * large one, or one without a length, counts as its bytes arrive, so an announced body costs other callers nothing. The rest of a refused body is read and discarded, because a connection that
 * closes while its client still sends loses the answer. Bytes are freed when the answer is finished or the connection closes.
 */
import { Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { Refusal } from '../errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is forwarded as it arrives and never held in memory. */
    isBodyStreamed?: boolean;
  }
}

const tinyBytesMax = 1024;
const smallBytesMax = 16 * 1024;
const retryAfterSeconds = 2;

/** Refuses bodies beyond the bounds with SERVER_BUSY. */
export function boundBodyBytes(app: FastifyInstance, held: HeldBytes): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    const announced = Number(length ?? Number.POSITIVE_INFINITY);
    const hasBody = length !== undefined || encoding !== undefined;
    if (!hasBody || announced <= tinyBytesMax || request.routeOptions.config.isBodyStreamed) done(null);
    else if (announced > smallBytesMax) done(null, countedBody(held, callerOf(request), reply, payload));
    else if (holdUntilClosed(held, callerOf(request), reply, announced)) done(null);
    else done(tooManyBytes());
  });
}

function holdUntilClosed(held: HeldBytes, caller: string, reply: FastifyReply, bytes: number): boolean {
  if (!held.take(caller, bytes)) return false;
  reply.raw.on('close', () => held.free(caller, bytes));
  return true;
}

/** The body, with its bytes counted as they arrive. */
function countedBody(
  held: HeldBytes,
  caller: string,
  reply: FastifyReply,
  payload: RequestPayload,
): RequestPayload {
  let taken = 0;
  reply.raw.on('close', () => held.free(caller, taken));
  let isRefused = false;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      isRefused ||= !held.take(caller, chunk.byteLength);
      if (!isRefused) taken += chunk.byteLength;
      next(null, isRefused ? undefined : chunk);
    },
    flush: (next) => next(isRefused ? tooManyBytes() : null),
  });
  // A refused body has no reader that listens, and an error without a listener would end the process.
  counted.on('error', () => undefined);
  payload.once('error', (error) => counted.destroy(error));
  // A call can be refused before its body is read. An unread rest would block the connection's next call.
  reply.raw.once('finish', () => payload.unpipe(counted).resume());
  return payload.pipe(counted);
}

/** At most `max` bytes in all, and half of them of one caller. */
export class HeldBytes {
  readonly #max: number;
  readonly #byCaller = new Map<string, number>();
  #all = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get bytes(): number {
    return this.#all;
  }

  take(caller: string, bytes: number): boolean {
    const ofCaller = (this.#byCaller.get(caller) ?? 0) + bytes;
    if (this.#all + bytes > this.#max || ofCaller > this.#max / 2) return false;
    this.#byCaller.set(caller, ofCaller);
    this.#all += bytes;
    return true;
  }

  free(caller: string, bytes: number): void {
    const ofCaller = (this.#byCaller.get(caller) ?? 0) - bytes;
    if (ofCaller > 0) this.#byCaller.set(caller, ofCaller);
    else this.#byCaller.delete(caller);
    this.#all -= bytes;
  }
}

/** The bot or widget of the path, else the credential. */
function callerOf({ params, headers }: FastifyRequest): string {
  const { botId, widgetKey } = (params ?? {}) as { botId?: string; widgetKey?: string };
  return botId ?? widgetKey ?? headers.authorization ?? '';
}

function tooManyBytes(): Refusal {
  return new Refusal('SERVER_BUSY', 'The server has no memory for another request body at the moment.', {
    retryAfterSeconds,
  });
}
