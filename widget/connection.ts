/**
 * Receives new messages: a socket with a heartbeat, reconnected with growing pauses, and polling while there is none.
 *
 *     connecting ──ready──▶ live ──lost──▶ away ⇄ polling
 *          └───────lost────────────────────▶┘        (either goes live when a socket is ready)
 *
 * The first frame names the last known sequence, so that no message between two sockets is lost.
 */

import { type Frame, readFrame } from './protocol.ts';
import { pollPause, reconnectPause, refusedPause } from './retry-delays.ts';

/** Away: neither socket nor polling works. Closed: for good, by the widget or after a refusal. */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'away' | 'closed';

export type ConnectionParts = {
  socketUrl: string;
  /** The content of the first frame. */
  hello(): { visitorToken: string; after: number };
  onFrame(frame: Frame): void;
  onState(state: ConnectionState): void;
  /** Loads new messages without a socket; true if the server answered. */
  poll(): Promise<boolean>;
  /** The server refused the connection: invalid token, or an origin that is not allowed. The connection is closed. */
  onRefused(reason: 'tokenInvalid' | 'notAllowed'): void;
  random(): number;
};

export type Connection = {
  send(frame: { type: 'typing'; on: boolean }): void;
  /** Checks at once, because the network may be back or the computer woke up. */
  wake(): void;
  close(): void;
};

const readyMsMax = 8_000;
/** Without an answer to a ping within this time, the connection is lost. */
const pongMsMax = 10_000;
const closeCodes = { tokenInvalid: 4401, notAllowed: 4403, tooMany: 4429 };

export function openConnection(parts: ConnectionParts): Connection {
  let state: ConnectionState = 'connecting';
  let socket: WebSocket | null = null;
  let failures = 0;
  let heartbeatMs = 0;
  let socketTimer = 0;
  let pollTimer = 0;

  const setState = (next: ConnectionState): void => {
    if (state === next) return;
    state = next;
    parts.onState(next);
  };
  const drop = (): void => {
    clearTimeout(socketTimer);
    const old = socket;
    socket = null;
    // A dead socket closes late: ignore its later events.
    if (old) old.onopen = old.onmessage = old.onclose = null;
    old?.close();
  };
  const connect = (): void => {
    drop();
    socketTimer = setTimeout(onLost, readyMsMax);
    try {
      socket = new WebSocket(parts.socketUrl);
    } catch {
      // The page's content security policy may forbid sockets.
      onLost();
      return;
    }
    const opened = socket;
    opened.onopen = () => opened.send(JSON.stringify({ type: 'hello', ...parts.hello() }));
    opened.onmessage = ({ data }) => onData(String(data));
    opened.onclose = ({ code }) => onLost(code);
  };
  const onData = (data: string): void => {
    const frame = readFrame(data);
    if (frame?.type === 'ready') {
      failures = 0;
      heartbeatMs = frame.heartbeatSeconds * 1_000;
      clearTimeout(pollTimer);
      setState('live');
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
    socketTimer = setTimeout(onLost, pongMsMax);
    socket?.send('{"type":"ping"}');
  };
  const onLost = (code?: number): void => {
    drop();
    if (state === 'closed') return;
    if (code === closeCodes.notAllowed || code === closeCodes.tokenInvalid) {
      close();
      parts.onRefused(code === closeCodes.tokenInvalid ? 'tokenInvalid' : 'notAllowed');
      return;
    }
    failures += 1;
    if (state !== 'polling') setState('away');
    const chance = parts.random();
    const pause = code === closeCodes.tooMany ? refusedPause(chance) : reconnectPause(failures, chance);
    socketTimer = setTimeout(connect, pause);
    if (failures === 1) pollLater();
  };
  const pollLater = (): void => {
    clearTimeout(pollTimer);
    pollTimer = setTimeout(async () => {
      const isAnswered = await parts.poll();
      if (state === 'live' || state === 'closed') return;
      setState(isAnswered ? 'polling' : 'away');
      pollLater();
    }, pollPause(parts.random()));
  };
  const close = (): void => {
    drop();
    clearTimeout(pollTimer);
    setState('closed');
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
