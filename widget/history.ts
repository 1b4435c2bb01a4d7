/** The messages of the chat: the newest page, older pages, and new messages from the socket or from polls. */
import type { Calls, Failure } from './calls.ts';
import { mergeMessages, stillUnsent } from './messages.ts';
import type { Message, MessagePage } from './protocol.ts';
import type { ReadReceipts } from './read-receipts.ts';
import type { State } from './state.ts';
import type { Typing } from './typing.ts';
import type { Visitor } from './visitor.ts';

export type History = {
  /** All messages up to this sequence are loaded. A sent message can have a higher one, with a gap before it. */
  position(): number;
  /** Starts a session, whose answers replace those of earlier ones. Returns whether it is still the current one. */
  startSession(): () => boolean;
  /** Forgets the position: another visitor. */
  reset(): void;
  /** Loads the newest page. Returns the failure, or null. */
  loadNewest(): Promise<Failure | null>;
  loadOlder(): Promise<void>;
  /** Loads all messages after the position; true if the server answered. */
  poll(): Promise<boolean>;
  /** Adds messages, each once. */
  add(messages: readonly Message[]): void;
  /** Adds a message of the socket, which delivers them without gaps. */
  addNext(message: Message): void;
};

export function createHistory(parts: {
  state: State;
  calls: Calls;
  visitor: Visitor;
  receipts: ReadReceipts;
  typing: Typing;
}): History {
  const { state, calls, visitor, receipts, typing } = parts;
  let position = 0;
  let sessions = 0;

  const add = (messages: readonly Message[]): void => {
    if (messages.some(({ from }) => from !== 'visitor')) {
      typing.setAgentTyping(false, null);
      state.imagesAllowed.value = true;
      if (state.notice.value === 'imagesNotAllowed') state.notice.value = null;
    }
    state.messages.value = mergeMessages(state.messages.value, messages);
    state.unsent.value = stillUnsent(state.unsent.value, messages);
  };
  const addPage = (page: MessagePage): void => {
    position = Math.max(position, page.messages.at(-1)?.sequence ?? 0);
    receipts.setSeenByBusiness(page.seenByBusiness);
    receipts.setSeenByVisitor(page.seenByVisitor);
    add(page.messages);
  };

  return {
    add,
    position: () => position,
    startSession() {
      sessions += 1;
      const session = sessions;
      return () => session === sessions;
    },
    reset() {
      position = 0;
    },
    async loadNewest() {
      const session = sessions;
      state.isLoading.value = true;
      const outcome = await calls.messages(visitor.token() ?? '', {});
      if (session !== sessions) return null;
      state.isLoading.value = false;
      if (!outcome.ok) return outcome;
      state.hasOlder.value = outcome.value.hasMore;
      addPage(outcome.value);
      return null;
    },
    async loadOlder() {
      const before = state.messages.value[0]?.sequence;
      if (before === undefined || state.isLoading.value || !state.hasOlder.value) return;
      state.isLoading.value = true;
      const session = sessions;
      const outcome = await visitor.withToken((token) => calls.messages(token, { before }));
      if (session !== sessions) return;
      if (outcome.ok) {
        state.hasOlder.value = outcome.value.hasMore;
        add(outcome.value.messages);
      }
      state.isLoading.value = false;
    },
    async poll() {
      for (;;) {
        const session = sessions;
        const outcome = await visitor.withToken((token) => calls.messages(token, { after: position }));
        if (!outcome.ok || session !== sessions) return outcome.ok;
        addPage(outcome.value);
        if (!outcome.value.hasMore) return true;
      }
    },
    addNext(message) {
      position = Math.max(position, message.sequence);
      add([message]);
    },
  };
}
