/** Up to where each side has seen the messages: told to the server, and to the other tabs of the same visitor. */
import type { Calls } from './calls.ts';
import { newestOfBusiness } from './messages.ts';
import { isObject } from './protocol.ts';
import type { State } from './state.ts';
import type { Visitor } from './visitor.ts';

export type Seen = {
  /** The business has seen up to there. Never goes back. */
  byBusiness(sequence: number): void;
  /** The server knows that this visitor has seen up to there. */
  byVisitor(sequence: number): void;
  /** Tells what the visitor has before them, when that is more than was told. */
  tell(): void;
};

export function openSeen(
  widgetKey: string,
  { state, calls, visitor }: { state: State; calls: Calls; visitor: Visitor },
): Seen {
  let told = { visitorId: '', sequence: 0 };
  const tabs = typeof BroadcastChannel === 'function' ? new BroadcastChannel(`shoalChat:${widgetKey}`) : null;
  const toldUpTo = (visitorId: string): number => (told.visitorId === visitorId ? told.sequence : 0);
  const byVisitor = (sequence: number): void => {
    const visitorId = visitor.visitorId() ?? '';
    told = { visitorId, sequence: Math.max(toldUpTo(visitorId), sequence) };
    state.seenByVisitor.value = Math.max(state.seenByVisitor.value, sequence);
  };
  tabs?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isObject(data) && data.visitorId === visitor.visitorId()) byVisitor(Number(data.sequence) || 0);
  });
  return {
    byVisitor,
    byBusiness: (sequence) => {
      state.seenByBusiness.value = Math.max(state.seenByBusiness.value, sequence);
    },
    tell: () => {
      const visitorId = visitor.visitorId() ?? '';
      const sequence = newestOfBusiness(state.messages.value);
      const before = toldUpTo(visitorId);
      if (!state.isOpen.value || !state.isVisible.value || sequence <= before) return;
      byVisitor(sequence);
      tabs?.postMessage({ visitorId, sequence });
      void visitor
        .withToken((token) => calls.seen(token, sequence))
        .then((outcome) => {
          // Told again with the next occasion.
          if (!outcome.ok && told.visitorId === visitorId && told.sequence === sequence)
            told.sequence = before;
        });
    },
  };
}
