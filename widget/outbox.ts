/**
 * Sends the visitor's messages in order, one at a time. A message keeps its id through all attempts, so the server stores it once.
 * Unsent texts survive a reload of the page.
 */
import { ulid } from 'ulid';
import type { Calls, Failure, Outcome } from './calls.ts';
import { imageBytesMax, imageHeadBytes, imageTypeOf } from './image-type.ts';
import { stillUnsent, type Unsent } from './messages.ts';
import type { Message } from './protocol.ts';
import { reconnectPause } from './retry-delays.ts';
import type { State } from './state.ts';
import type { Slot, StoredText } from './storage.ts';
import type { Visitor } from './visitor.ts';

export type Outbox = {
  /** Ignores an empty text. */
  sendText(text: string): void;
  /** Sends an image, or shows a notice if it is not acceptable. */
  sendImage(image: Blob): Promise<void>;
  retry(messageId: string): void;
  /** Retries all failed messages. */
  retryAll(): void;
  /** Sends the unsent texts of the previous page. */
  restore(): void;
};

export const textLengthMax = 2_000;

export function createOutbox(parts: {
  state: State;
  calls: Calls;
  visitor: Visitor;
  storedTexts: Slot<StoredText[]>;
  /** Called after the server has stored a message. */
  onStored(message: Message, content: Unsent['content']): void;
}): Outbox {
  const { state, calls, visitor, storedTexts } = parts;
  let isSending = false;
  let failures = 0;
  let retryTimer = 0;

  const setUnsent = (unsent: readonly Unsent[]): void => {
    state.unsent.value = unsent;
    const texts = unsent.flatMap(({ messageId, content, writtenAt }) =>
      content.kind === 'text' ? [{ messageId, text: content.text, writtenAt }] : [],
    );
    storedTexts.write(texts.length > 0 ? texts : null);
  };
  const setStates = (matches: (one: Unsent) => boolean, next: Unsent['state']): void =>
    setUnsent(state.unsent.value.map((one) => (matches(one) ? { ...one, state: next } : one)));
  const add = (content: Unsent['content']): void => {
    state.notice.value = null;
    setUnsent([
      ...state.unsent.value,
      { messageId: ulid(), content, state: 'sending', writtenAt: Date.now() },
    ]);
    void sendAll();
  };
  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    for (let next = nextToSend(); next; next = nextToSend()) {
      const outcome = await send(next);
      if (outcome.ok) {
        failures = 0;
        parts.onStored(outcome.value, next.content);
        setUnsent(stillUnsent(state.unsent.value, [outcome.value]));
      } else handleFailure(next, outcome);
    }
    isSending = false;
  };
  const nextToSend = (): Unsent | undefined => state.unsent.value.find((one) => one.state === 'sending');
  const send = ({ messageId, content }: Unsent): Promise<Outcome<Message>> =>
    visitor.withToken(async (token) => {
      if (content.kind === 'text') return calls.sendText(token, messageId, content.text);
      const type = await typeOf(content.image);
      return calls.sendImage(token, messageId, type ?? 'image/png', content.image);
    });
  const handleFailure = (unsent: Unsent, { status, code, retryAfterSeconds }: Failure): void => {
    if (code === 'VISITOR_BLOCKED') state.obstacle.value = 'blocked';
    if (code === 'IMAGES_NOT_ALLOWED') {
      state.imagesAllowed.value = false;
      state.notice.value = 'imagesNotAllowed';
      setUnsent(state.unsent.value.filter(({ messageId }) => messageId !== unsent.messageId));
      return;
    }
    // A smaller message may still fit.
    const isQuota = code === 'CHAT_QUOTA_REACHED';
    if (status === 429) state.notice.value = isQuota ? 'quotaReached' : 'tooMany';
    // Later messages must not overtake it.
    const concernsAll = status === 0 || (status === 429 && !isQuota) || status >= 500;
    setStates(
      (one) => one.state === 'sending' && (concernsAll || one.messageId === unsent.messageId),
      'failed',
    );
    if (!concernsAll) return;
    failures += 1;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(
      retryAll,
      Math.max(retryAfterSeconds * 1_000, reconnectPause(failures, Math.random())),
    );
  };
  const retryAll = (): void => {
    clearTimeout(retryTimer);
    if (state.unsent.value.every((one) => one.state === 'sending')) return;
    setStates(() => true, 'sending');
    void sendAll();
  };
  return {
    sendText(text) {
      const trimmed = text.trim().slice(0, textLengthMax);
      if (trimmed !== '') add({ kind: 'text', text: trimmed });
    },
    async sendImage(image) {
      if (!state.imagesAllowed.value) state.notice.value = 'imagesNotAllowed';
      else if ((await typeOf(image)) === null) state.notice.value = 'imageType';
      else if (image.size > imageBytesMax) state.notice.value = 'imageTooLarge';
      else add({ kind: 'image', image });
    },
    retry(messageId) {
      state.notice.value = null;
      setStates((one) => one.messageId === messageId, 'sending');
      void sendAll();
    },
    retryAll,
    restore() {
      const unsentIds = new Set(state.unsent.value.map(({ messageId }) => messageId));
      const texts = (storedTexts.read() ?? []).filter(({ messageId }) => !unsentIds.has(messageId));
      if (texts.length === 0) return;
      const restored = texts.map(
        ({ messageId, text, writtenAt }): Unsent => ({
          ...{ messageId, writtenAt, state: 'sending' },
          content: { kind: 'text', text },
        }),
      );
      setUnsent([...restored, ...state.unsent.value]);
      void sendAll();
    },
  };
}

async function typeOf(image: Blob): Promise<ReturnType<typeof imageTypeOf>> {
  return imageTypeOf(new Uint8Array(await image.slice(0, imageHeadBytes).arrayBuffer()));
}
