/**
 * The agents' socket of a bot: authenticated by a hello frame, kept alive by pings, reopened after a loss with growing pauses. It
 * does not repeat missed frames: the listener catches up after each `ready`.
 */
import { reconnectPause, refusedPause } from '../../../widget/retry-delays.ts';
import { session } from '../../state/session.ts';
import { type Frame, readFrame } from './chat.ts';

export type AgentSocket = {
  /** Sends a frame if the socket is ready; later it would be out of date. */
  send(frame: Record<string, unknown>): void;
  close(): void;
};

const pingMs = 30_000;
/** Two pings without an answer. */
const silentMsMax = 65_000;
/** Close code of the server for too many sockets. */
const tooMany = 4429;

export function openAgentSocket(
  botId: string,
  { onFrame, onLost }: { onFrame(frame: Frame): void; onLost(): void },
): AgentSocket {
  let socket: WebSocket | null = null;
  let failures = 0;
  let isClosed = false;
  let isReady = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ping: ReturnType<typeof setInterval> | undefined;
  let receivedAt = 0;

  const connect = (): void => {
    clearTimeout(timer);
    if (isClosed || socket) return;
    const url = new URL(`/api/v1/bots/${botId}/chats/socket`, location.href.replace(/^http/, 'ws'));
    const opened = new WebSocket(url);
    socket = opened;
    opened.onopen = () => {
      const state = session.value;
      const csrfToken = state.kind === 'signed-in' ? state.session.csrfToken : '';
      opened.send(JSON.stringify({ type: 'hello', csrfToken }));
    };
    opened.onmessage = ({ data }) => {
      receivedAt = Date.now();
      const frame = readFrame(String(data));
      if (frame?.type === 'ready') {
        failures = 0;
        isReady = true;
        ping = setInterval(() => {
          if (Date.now() - receivedAt > silentMsMax) onClose(opened, 0);
          else opened.send('{"type":"ping"}');
        }, pingMs);
      }
      if (frame && !isClosed) onFrame(frame);
    };
    opened.onclose = ({ code }) => onClose(opened, code);
  };
  /** Also called for a silent socket, because a browser may notice a lost connection much later. */
  const onClose = (lostSocket: WebSocket, code: number): void => {
    lostSocket.onmessage = null;
    lostSocket.onclose = null;
    lostSocket.close();
    clearInterval(ping);
    socket = null;
    isReady = false;
    if (isClosed) return;
    failures += 1;
    onLost();
    const chance = Math.random();
    timer = setTimeout(connect, code === tooMany ? refusedPause(chance) : reconnectPause(failures, chance));
  };
  // Reconnect at once when the network or the page is back.
  const reconnectIfVisible = (): void => {
    if (document.visibilityState === 'visible') connect();
  };
  addEventListener('online', reconnectIfVisible);
  document.addEventListener('visibilitychange', reconnectIfVisible);
  connect();
  return {
    send(frame) {
      if (isReady) socket?.send(JSON.stringify(frame));
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearInterval(ping);
      removeEventListener('online', reconnectIfVisible);
      document.removeEventListener('visibilitychange', reconnectIfVisible);
      socket?.close();
    },
  };
}
