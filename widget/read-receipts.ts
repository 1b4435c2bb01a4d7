/** How far each side has seen the messages. Shared with the server and with other tabs of the same visitor. */
import type { Calls } from './calls.ts';
import { newestOfBusiness } from './messages.ts';
import { isObject } from './protocol.ts';
import type { State } from './state.ts';
import type { Visitor } from './visitor.ts';

export type ReadReceipts = {
  /** The business has seen the messages up to a sequence, which never decreases. */
  setSeenByBusiness(sequence: number): void;
  /** The server knows that the visitor has seen the messages up to a sequence. */
  setSeenByVisitor(sequence: number): void;
  /** Reports the visible messages, if they are newer than the last report. */
  send(): void;
};

export function createReadReceipts(
  widgetKey: string,
  { state, calls, visitor }: { state: State; calls: Calls; visitor: Visitor },
): ReadReceipts {
  let reported = { visitorId: '', sequence: 0 };
  const tabs = typeof BroadcastChannel === 'function' ? new BroadcastChannel(`shoalChat:${widgetKey}`) : null;
  const reportedSequence = (visitorId: string): number =>
    reported.visitorId === visitorId ? reported.sequence : 0;
  const setSeenByVisitor = (sequence: number): void => {
    const visitorId = visitor.visitorId() ?? '';
    reported = { visitorId, sequence: Math.max(reportedSequence(visitorId), sequence) };
    state.seenByVisitor.value = Math.max(state.seenByVisitor.value, sequence);
  };
  tabs?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isObject(data) && data.visitorId === visitor.visitorId())
      setSeenByVisitor(Number(data.sequence) || 0);
  });
  return {
    setSeenByVisitor,
    setSeenByBusiness: (sequence) => {
      state.seenByBusiness.value = Math.max(state.seenByBusiness.value, sequence);
    },
    send: () => {
      const visitorId = visitor.visitorId() ?? '';
      const sequence = newestOfBusiness(state.messages.value);
      const before = reportedSequence(visitorId);
      if (!state.isOpen.value || !state.isVisible.value || sequence <= before) return;
      setSeenByVisitor(sequence);
      tabs?.postMessage({ visitorId, sequence });
      void visitor
        .withToken((token) => calls.seen(token, sequence))
        .then((outcome) => {
          // The next report sends it again.
          if (!outcome.ok && reported.visitorId === visitorId && reported.sequence === sequence)
            reported.sequence = before;
        });
    },
  };
}
