/** Who is typing, in both directions. */
import { type Signal, signal } from '@preact/signals';
import type { Frame } from './chat.ts';

/** `agentName` is null if the visitor is typing; `until` is in ms. */
export type TypingState = { agentName: string | null; until: number };

export type Typing = {
  byVisitor: Signal<ReadonlyMap<string, TypingState>>;
  /** Handles a frame of the socket. */
  onFrame(frame: Extract<Frame, { type: 'typing' }>): void;
  /** Clears the state of a visitor. */
  stop(visitorId: string): void;
  /** Reports that the agent is typing in a chat, or no longer. */
  report(visitorId: string, isTyping: boolean): void;
  /** The next report is sent in any case: another chat is open. */
  reset(): void;
};

const visibleMs = 10_000;
const reportEveryMs = 3_000;

export function createTyping(
  send: (frame: { type: 'typing'; visitorId: string; on: boolean }) => void,
): Typing {
  const byVisitor = signal<ReadonlyMap<string, TypingState>>(new Map());
  let reportedAt = 0;
  const stop = (visitorId: string): void => {
    if (!byVisitor.value.has(visitorId)) return;
    byVisitor.value = new Map([...byVisitor.value].filter(([id]) => id !== visitorId));
  };
  return {
    ...{ byVisitor, stop },
    onFrame({ visitorId, on, from, agentName }) {
      if (!on) {
        stop(visitorId);
        return;
      }
      const until = Date.now() + visibleMs;
      const name = from === 'visitor' ? null : (agentName ?? '');
      byVisitor.value = new Map([...byVisitor.value, [visitorId, { agentName: name, until }]]);
      setTimeout(() => {
        if ((byVisitor.value.get(visitorId)?.until ?? 0) <= Date.now()) stop(visitorId);
      }, visibleMs + 1);
    },
    report(visitorId, isTyping) {
      const now = Date.now();
      if (isTyping ? now - reportedAt < reportEveryMs : reportedAt === 0) return;
      reportedAt = isTyping ? now : 0;
      send({ type: 'typing', visitorId, on: isTyping });
    },
    reset() {
      reportedAt = 0;
    },
  };
}
