/**
 * Holds the way on which news come: a socket with a heartbeat, connected again after growing pauses; polls while there is none.
 *
 *     connecting ──ready──▶ live ──lost──▶ away ⇄ polling
 *          └───────lost────────────────────▶┘        (either goes live when a socket is ready)
 *
 * The first frame tells up to which sequence news are known, so that nothing between two sockets is missed.
 */
import { pollPause, reconnectPause, refusedPause } from './pauses.ts';
import { type Frame, readFrame } from './protocol.ts';

/** Away: neither socket nor poll works. Closed: for good, by us or because the server will not have us. */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'away' | 'closed';

export type ConnectionParts = {
  socketUrl: string;
  /** What the first frame says. */
  hello(): { visitorToken: string; after: number };
  onFrame(frame: Frame): void;
  onState(state: ConnectionState): void;
  /** Asks for news without a socket; true when the server answered. */
  poll(): Promise<boolean>;
  /** The server will not have it: the token is not valid any more, or the widget may not be here. It is closed by then. */
  onRefused(why: 'tokenInvalid' | 'notAllowed'): void;
  random(): number;
};

export type Connection = {
  send(frame: { type: 'typing'; on: boolean }): void;
  /** Something says that the network may be back, or that the computer slept: looks at once. */
  wake(): void;
  close(): void;
};

const readyMsMax = 8_000;
/** An answer to a ping that is still missing by then means that nobody is there, whatever the socket says. */
const pongMsMax = 10_000;
const closeCodes = { tokenInvalid: 4401, notAllowed: 4403, tooMany: 4429 };

export function openConnection(parts: ConnectionParts): Connection {
  let state: ConnectionState = 'connecting';
  let socket: WebSocket | null = null;
  let failures = 0;
  let heartbeatMs = 0;
  let socketTimer = 0;
  let pollTimer = 0;

  const turn = (next: ConnectionState): void => {
    if (state === next) return;
    state = next;
    parts.onState(next);
  };
  const drop = (): void => {
    clearTimeout(socketTimer);
    const old = socket;
    socket = null;
    // A socket to nowhere takes its time over closing: what it says later is not heard.
    if (old) old.onopen = old.onmessage = old.onclose = null;
    old?.close();
  };
  const connect = (): void => {
    drop();
    socketTimer = setTimeout(lost, readyMsMax);
    try {
      socket = new WebSocket(parts.socketUrl);
    } catch {
      // A policy of the page may forbid sockets.
      lost();
      return;
    }
    const here = socket;
    here.onopen = () => here.send(JSON.stringify({ type: 'hello', ...parts.hello() }));
    here.onmessage = ({ data }) => heard(String(data));
    here.onclose = ({ code }) => lost(code);
  };
  const heard = (data: string): void => {
    const frame = readFrame(data);
    if (frame?.type === 'ready') {
      failures = 0;
      heartbeatMs = frame.heartbeatSeconds * 1_000;
      clearTimeout(pollTimer);
      turn('live');
    }
    if (state === 'live') awaitBeat();
    if (frame) parts.onFrame(frame);
  };
  const awaitBeat = (): void => {
    clearTimeout(socketTimer);
    socketTimer = setTimeout(ping, heartbeatMs);
  };
  const ping = (): void => {
    clearTimeout(socketTimer);
    socketTimer = setTimeout(lost, pongMsMax);
    socket?.send('{"type":"ping"}');
  };
  const lost = (code?: number): void => {
    drop();
    if (state === 'closed') return;
    if (code === closeCodes.notAllowed || code === closeCodes.tokenInvalid) {
      close();
      parts.onRefused(code === closeCodes.tokenInvalid ? 'tokenInvalid' : 'notAllowed');
      return;
    }
    failures += 1;
    if (state !== 'polling') turn('away');
    const chance = parts.random();
    const pause = code === closeCodes.tooMany ? refusedPause(chance) : reconnectPause(failures, chance);
    socketTimer = setTimeout(connect, pause);
    if (failures === 1) pollLater();
  };
  const pollLater = (): void => {
    clearTimeout(pollTimer);
    pollTimer = setTimeout(async () => {
      const answered = await parts.poll();
      if (state === 'live' || state === 'closed') return;
      turn(answered ? 'polling' : 'away');
      pollLater();
    }, pollPause(parts.random()));
  };
  const close = (): void => {
    drop();
    clearTimeout(pollTimer);
    turn('closed');
  };

  connect();
  return {
    send: (frame) => {
      if (state === 'live') socket?.send(JSON.stringify(frame));
    },
    wake: () => {
      if (state === 'live') ping();
      else if (state !== 'closed' && socket === null) connect();
    },
    close,
  };
}
