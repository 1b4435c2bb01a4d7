/**
 * The live chat sockets of this process, and the rules for all of them.
 *
 *     opened → hello within 5 s → open: a frame at least every 75 s, few frames, what is sent is taken → closed
 *
 * Each rule has its close code. Frames are JSON objects with a `type`. `ping` is answered here; the seat of the socket handles the
 * others. A socket that does not read is closed without a queue for it; the client reconnects and names the last message it has.
 */
import type { WebSocket } from '@fastify/websocket';
import type { Logger } from 'pino';
import { isObject, type JsonObject } from '../json.ts';
import { once } from '../once.ts';
import { type Clock, secondMs } from '../time.ts';

export const closeCodes = {
  invalidFrame: 1008,
  stopping: 1012,
  tokenInvalid: 4401,
  notAllowed: 4403,
  helloTimeout: 4408,
  tooMany: 4429,
} as const;

/** A socket is to be closed; the message is safe to show. */
export class SocketRefusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a socket is open for, once its hello was good. */
export type Seat = {
  /** Every frame behind the hello; a ping has been answered already. */
  heard(frame: JsonObject): void;
  /** The socket is closed, for whatever reason. */
  left(): void;
};

/** A frame of the server. */
export type Frame = { type: string } & JsonObject;

export const frameBytesMax = 4 * 1024;
export const heartbeatSeconds = 30;
const helloMsMax = 5 * secondMs;
const silenceMsMax = 75 * secondMs;
/** So long a socket may take nothing of what is sent, beyond what the system's own buffers hold. */
const congestedMsMax = 30 * secondMs;
const congestedBytes = 256 * 1024;
const bufferedBytesMax = 1024 * 1024;
const framesPerSweepMax = 100;
const sweepMs = secondMs;
const sweepsOfFrames = 5;
/** Of all sockets; the rest is for the business. */
const visitorsShare = 0.9;
/** Of all sockets: those of the business that have not authenticated yet. They do so within their hello's round trip. */
const newcomersShare = 0.05;
/** A socket whose other end does not answer a close is cut off then. */
const closeMsMax = secondMs;

export class Connection {
  readonly #socket: WebSocket;
  /** ms. */
  heardAt: number;
  frames = 0;
  isOpen = false;
  congestedSince: number | null = null;
  /** Called once, when what was sent has been taken. */
  drained: (() => void) | null = null;

  constructor(socket: WebSocket, now: number) {
    this.#socket = socket;
    this.heardAt = now;
  }

  /** More was sent than the other end has taken. */
  get isCongested(): boolean {
    return this.#socket.bufferedAmount > congestedBytes;
  }

  /** Sends a frame that was written already. One more than a socket can hold closes it. */
  sendText(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > bufferedBytesMax) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(text, () => {
      if (this.drained === null || this.isCongested) return;
      const { drained } = this;
      this.drained = null;
      drained();
    });
  }

  send(frame: Frame): void {
    this.sendText(JSON.stringify(frame));
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

export class Connections {
  readonly #clock: Clock;
  readonly #log: Pick<Logger, 'error'>;
  readonly #all = new Set<Connection>();
  readonly #sweeping: NodeJS.Timeout;
  #sweeps = 0;
  #emptied: (() => void) | null = null;
  readonly #openMax: number;
  #visitors = 0;
  /** Sockets of the business that have not authenticated yet, the oldest first. */
  readonly #newcomers = new Set<Connection>();
  #isStopping = false;

  constructor({
    clock,
    log,
    openMax,
  }: {
    clock: Clock;
    log: Pick<Logger, 'error'>;
    openMax: number;
  }) {
    this.#openMax = openMax;
    this.#clock = clock;
    this.#log = log;
    this.#sweeping = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** How many are open. */
  get count(): number {
    return this.#all.size;
  }

  /**
   * Accepts a socket. Visitors together get nine tenths of all sockets. A socket of the business that finds no room takes the place
   * of the oldest one that has not authenticated. `begin` gets its hello; it returns the seat, or throws SocketRefusal.
   */
  open(
    socket: WebSocket,
    side: 'visitor' | 'agent',
    begin: (hello: JsonObject, connection: Connection) => Promise<Seat>,
  ): void {
    const connection = new Connection(socket, this.#clock());
    const isVisitor = side === 'visitor';
    if (!isVisitor) this.#dropOldestNewcomer();
    const isFull =
      this.#all.size >= this.#openMax || (isVisitor && this.#visitors >= this.#openMax * visitorsShare);
    if (this.#isStopping || isFull) {
      connection.close(
        this.#isStopping ? closeCodes.stopping : closeCodes.tooMany,
        'no socket can be opened now',
      );
      return;
    }
    this.#all.add(connection);
    if (isVisitor) this.#visitors += 1;
    else this.#newcomers.add(connection);
    let seat: Seat | null = null;
    let isClosed = false;
    const take = async (data: unknown, isBinary: boolean): Promise<void> => {
      if (isClosed) return;
      const frame = readFrame(data, isBinary);
      if (seat !== null) {
        if (frame.type === 'ping') connection.send({ type: 'pong' });
        seat.heard(frame);
        return;
      }
      if (frame.type !== 'hello') throw new SocketRefusal(closeCodes.invalidFrame, 'a hello was expected');
      seat = await begin(frame, connection);
      connection.isOpen = true;
      this.#newcomers.delete(connection);
      if (isClosed) seat.left();
    };
    // One frame after the other: what comes behind the hello waits for its answer.
    let work = Promise.resolve();
    socket.on('message', (data, isBinary) => {
      connection.heardAt = this.#clock();
      connection.frames += 1;
      if (connection.frames > framesPerSweepMax) {
        connection.close(closeCodes.tooMany, 'too many frames');
        return;
      }
      work = work.then(() => take(data, isBinary)).catch((error: unknown) => this.#refuse(connection, error));
    });
    socket.once('close', () => {
      isClosed = true;
      this.#forget(connection);
      if (isVisitor) this.#visitors -= 1;
      seat?.left();
      if (this.#all.size === 0) this.#emptied?.();
    });
  }

  /** Closes every socket (1012) and takes no more. Safe to call twice. */
  readonly stop = once(async () => {
    this.#isStopping = true;
    clearInterval(this.#sweeping);
    if (this.#all.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    for (const connection of this.#all) connection.close(closeCodes.stopping, 'the server stops');
    const late = setTimeout(() => {
      for (const connection of this.#all) connection.terminate();
    }, closeMsMax);
    await promise;
    clearTimeout(late);
  });

  /** Makes room for a socket of the business, if one is needed. */
  #dropOldestNewcomer(): void {
    const hasRoom = this.#newcomers.size < this.#openMax * newcomersShare && this.#all.size < this.#openMax;
    const [oldest] = this.#newcomers;
    if (hasRoom || oldest === undefined) return;
    // Without waiting for an answer, so that it holds no connection any longer.
    oldest.close(closeCodes.tooMany, 'others wait to authenticate');
    oldest.terminate();
    this.#forget(oldest);
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    this.#newcomers.delete(connection);
  }

  #refuse(connection: Connection, error: unknown): void {
    if (error instanceof SocketRefusal) {
      connection.close(error.code, error.message);
      return;
    }
    this.#log.error({ err: error }, 'a socket of live chat failed');
    connection.close(closeCodes.stopping, 'try again');
  }

  #sweep(): void {
    const now = this.#clock();
    this.#sweeps += 1;
    for (const connection of this.#all) {
      const silentMs = now - connection.heardAt;
      if (!connection.isOpen && silentMs > helloMsMax)
        connection.close(closeCodes.helloTimeout, 'no hello came');
      else if (silentMs > silenceMsMax) connection.terminate();
      if (this.#sweeps % sweepsOfFrames === 0) connection.frames = 0;
      connection.congestedSince = connection.isCongested ? (connection.congestedSince ?? now) : null;
      if (now - (connection.congestedSince ?? now) > congestedMsMax) connection.terminate();
    }
  }
}

/** Whether a field is a whole number from 0, as sequences are. */
export function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readFrame(data: unknown, isBinary: boolean): JsonObject {
  try {
    const frame: unknown = isBinary ? null : JSON.parse(String(data));
    if (isObject(frame)) return frame;
  } catch {
    // The refusal below names the problem.
  }
  throw new SocketRefusal(closeCodes.invalidFrame, 'a frame must be a JSON object');
}
