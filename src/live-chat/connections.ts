/**
 * The live chat sockets of this process, and the rules for all of them.
 *
 *     opened → hello within 5 s → open: a frame at least every 75 s, few frames, sent data is read → closed
 *
 * Each rule has its close code. Frames are JSON objects with a `type`. This file answers `ping`; the socket's subscription handles the
 * others. A socket that does not read is closed, not queued for. Its client reconnects and names its last message.
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

/** Closes a socket; the message is safe to show. */
export class SocketRefusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The subscription of a socket whose hello was accepted. */
export type Subscription = {
  /** Handles every frame after the hello. Pings are already answered. */
  onFrame(frame: JsonObject): void;
  /** The socket is closed. */
  onClose(): void;
};

/** A frame of the server. */
export type Frame = { type: string } & JsonObject;

export const frameBytesMax = 4 * 1024;
export const heartbeatSeconds = 30;
const helloMsMax = 5 * secondMs;
const silenceMsMax = 75 * secondMs;
/** A socket may read nothing for this time, beyond the system's buffers. */
const congestedMsMax = 30 * secondMs;
const congestedBytes = 256 * 1024;
const bufferedBytesMax = 1024 * 1024;
const framesPerSweepMax = 100;
const sweepMs = secondMs;
const sweepsOfFrames = 5;
/** Of all sockets; the others are for the business. */
const visitorsShare = 0.9;
/** Of all sockets: those of the business that have not authenticated yet. They do so within their hello's round trip. */
const newcomersShare = 0.05;
/** A socket without an answer to its close is terminated after this time. */
const closeMsMax = secondMs;

export class Connection {
  readonly #socket: WebSocket;
  /** ms. */
  heardAt: number;
  frames = 0;
  isOpen = false;
  congestedSince: number | null = null;
  /** Called once, when the sent data has been read. */
  drained: (() => void) | null = null;

  constructor(socket: WebSocket, now: number) {
    this.#socket = socket;
    this.heardAt = now;
  }

  /** The other end reads more slowly than data is sent. */
  get isCongested(): boolean {
    return this.#socket.bufferedAmount > congestedBytes;
  }

  /** Sends a serialized frame. Terminates a socket whose buffer is full. */
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

  /** The number of open sockets. */
  get count(): number {
    return this.#all.size;
  }

  /**
   * Accepts a socket. Visitors may have nine tenths of all sockets. If there is no room, a socket of the business replaces the oldest
   * one that has not authenticated. `begin` gets the hello and returns the subscription, or throws SocketRefusal.
   */
  open(
    socket: WebSocket,
    side: 'visitor' | 'agent',
    begin: (hello: JsonObject, connection: Connection) => Promise<Subscription>,
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
    let subscription: Subscription | null = null;
    let isClosed = false;
    const take = async (data: unknown, isBinary: boolean): Promise<void> => {
      if (isClosed) return;
      const frame = readFrame(data, isBinary);
      if (subscription !== null) {
        if (frame.type === 'ping') connection.send({ type: 'pong' });
        subscription.onFrame(frame);
        return;
      }
      if (frame.type !== 'hello') throw new SocketRefusal(closeCodes.invalidFrame, 'a hello was expected');
      subscription = await begin(frame, connection);
      connection.isOpen = true;
      this.#newcomers.delete(connection);
      if (isClosed) subscription.onClose();
    };
    // One frame after the other: frames after the hello wait for its answer.
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
      subscription?.onClose();
      if (this.#all.size === 0) this.#emptied?.();
    });
  }

  /** Closes every socket (1012) and accepts no more. Safe to call twice. */
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

  /** Makes room for a socket of the business, if needed. */
  #dropOldestNewcomer(): void {
    const hasRoom = this.#newcomers.size < this.#openMax * newcomersShare && this.#all.size < this.#openMax;
    const [oldest] = this.#newcomers;
    if (hasRoom || oldest === undefined) return;
    // Terminates without waiting for an answer, which frees the connection at once.
    oldest.close(closeCodes.tooMany, 'other sockets wait to authenticate');
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

/** Whether a field is a sequence: a whole number from 0. */
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
