/**
 * The agents' socket of a bot: opened, said hello on, kept alive, and opened again after a loss, with growing pauses. What was
 * missed meanwhile it does not tell: whoever listens catches up at each `ready`.
 */
import { reconnectPause, refusedPause } from '../../../widget/pauses.ts';
import { session } from '../../state/session.ts';
import { type Frame, readFrame } from './chat.ts';

export type AgentSocket = {
  /** Sends a frame, if the socket is ready; what agents send is of the moment. */
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
  { heard, lost }: { heard(frame: Frame): void; lost(): void },
): AgentSocket {
  let socket: WebSocket | null = null;
  let failures = 0;
  let isOver = false;
  let isReady = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ping: ReturnType<typeof setInterval> | undefined;
  let heardAt = 0;

  const connect = (): void => {
    clearTimeout(timer);
    if (isOver || socket) return;
    const url = new URL(`/api/v1/bots/${botId}/chats/socket`, location.href.replace(/^http/, 'ws'));
    const opened = new WebSocket(url);
    socket = opened;
    opened.onopen = () => {
      const state = session.value;
      const csrfToken = state.kind === 'signed-in' ? state.session.csrfToken : '';
      opened.send(JSON.stringify({ type: 'hello', csrfToken }));
    };
    opened.onmessage = ({ data }) => {
      heardAt = Date.now();
      const frame = readFrame(String(data));
      if (frame?.type === 'ready') {
        failures = 0;
        isReady = true;
        ping = setInterval(() => {
          if (Date.now() - heardAt > silentMsMax) gone(opened, 0);
          else opened.send('{"type":"ping"}');
        }, pingMs);
      }
      if (frame && !isOver) heard(frame);
    };
    opened.onclose = ({ code }) => gone(opened, code);
  };
  /** Also for one that has gone silent, of which a browser may learn much later that it is lost. */
  const gone = (lostOne: WebSocket, code: number): void => {
    lostOne.onmessage = null;
    lostOne.onclose = null;
    lostOne.close();
    clearInterval(ping);
    socket = null;
    isReady = false;
    if (isOver) return;
    failures += 1;
    lost();
    const chance = Math.random();
    timer = setTimeout(connect, code === tooMany ? refusedPause(chance) : reconnectPause(failures, chance));
  };
  // Who has network again, or looks at the page again, need not wait.
  const hurry = (): void => {
    if (document.visibilityState === 'visible') connect();
  };
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', hurry);
  connect();
  return {
    send(frame) {
      if (isReady) socket?.send(JSON.stringify(frame));
    },
    close() {
      isOver = true;
      clearTimeout(timer);
      clearInterval(ping);
      removeEventListener('online', hurry);
      document.removeEventListener('visibilitychange', hurry);
      socket?.close();
    },
  };
}
