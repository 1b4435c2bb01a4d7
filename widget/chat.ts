/**
 * The chat's logic: session, history, new messages, read receipts, typing. It connects the parts; the view calls the methods of
 * `Chat` and reads the signals of `state`.
 *
 * The widget contacts the server only after the visitor opens the chat, or if the browser has a visitor token or the page an identity.
 */
import { effect, untracked } from '@preact/signals';
import { type Failure, openCalls } from './calls.ts';
import { type Connection, openConnection } from './connection.ts';
import { createHistory } from './history.ts';
import { createImages } from './images.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { Frame, Session } from './protocol.ts';
import { createReadReceipts } from './read-receipts.ts';
import { reconnectPause } from './retry-delays.ts';
import type { Identity, Settings } from './settings.ts';
import { createState, resetVisitor, type State } from './state.ts';
import { openStorage } from './storage.ts';
import { createTyping } from './typing.ts';
import { createVisitor } from './visitor.ts';

export type Chat = Pick<Outbox, 'sendText' | 'sendImage' | 'retry'> & {
  state: State;
  open(): void;
  close(): void;
  /** Null: the visitor has signed out. */
  identify(identity: Identity | null): void;
  loadOlder(): Promise<void>;
  /** The visitor is typing; an empty field ends it. */
  onInput(isEmpty: boolean): void;
  /** Null if it cannot be loaded. */
  readImage(messageId: string): Promise<Blob | null>;
};

export function startChat(settings: Settings): Chat {
  const state = createState();
  const calls = openCalls(settings.base);
  const storage = openStorage(settings.widgetKey);
  const visitor = createVisitor({
    ...{ calls, storage, identity: settings.identity, language: settings.language },
    lockName: `shoalChat:${settings.widgetKey}`,
    onSession: (session) => void applySession(session),
  });
  const receipts = createReadReceipts(settings.widgetKey, { state, calls, visitor });
  const typing = createTyping(state, (on) => connection?.send({ type: 'typing', on }));
  const history = createHistory({ state, calls, visitor, receipts, typing });
  const images = createImages(calls, visitor);
  const outbox = createOutbox({
    ...{ state, calls, visitor, storedTexts: storage.unsent },
    onStored: (message, content) => {
      if (content.kind === 'image') images.put(message.messageId, content.image);
      history.add([message]);
    },
  });
  let connection: Connection | null = null;
  let failures = 0;
  let startTimer = 0;
  let shownVisitorId: string | null = null;

  const start = async (): Promise<void> => {
    clearTimeout(startTimer);
    state.connection.value ??= 'connecting';
    const outcome = await visitor.start();
    if (outcome.ok) return applySession(outcome.value);
    handleFailure(outcome);
  };
  const applySession = async ({ name, visitorId, lastSequence, imagesAllowed }: Session): Promise<void> => {
    state.business.value = name;
    const isShown = show(visitorId, lastSequence > 0);
    state.imagesAllowed.value = imagesAllowed;
    await isShown;
  };
  const show = async (visitorId: string, hasMessages: boolean): Promise<void> => {
    const isCurrent = history.startSession();
    connection?.close();
    connection = null;
    if (shownVisitorId !== null && shownVisitorId !== visitorId) {
      resetVisitor(state);
      storage.unsent.write(null);
      history.reset();
    }
    shownVisitorId = visitorId;
    const failure = hasMessages && history.position() === 0 ? await history.loadNewest() : null;
    if (!isCurrent()) return;
    if (failure) return handleFailure(failure);
    connect();
    outbox.restore();
  };
  const startLater = (pauseMsMin: number): void => {
    failures += 1;
    startTimer = setTimeout(start, Math.max(pauseMsMin, reconnectPause(failures, Math.random())));
  };
  const handleFailure = ({ status, code, retryAfterSeconds }: Failure): void => {
    if (status === 0 || status === 429 || status >= 500) {
      state.connection.value = 'away';
      startLater(retryAfterSeconds * 1_000);
      return;
    }
    state.connection.value = 'closed';
    state.obstacle.value = code === 'IDENTITY_REQUIRED' ? 'identityRequired' : 'unavailable';
    // For the page's developers; the visitor cannot fix it.
    console.error(refusalOf(status, code));
  };
  const connect = (): void => {
    connection = openConnection({
      socketUrl: new URL('socket', settings.base.replace(/^http/, 'ws')).href,
      hello: () => ({ visitorToken: visitor.token() ?? '', after: history.position() }),
      onFrame,
      onState: (value) => {
        state.connection.value = value;
        if (value === 'closed') typing.setAgentTyping(false, null);
        if (value !== 'live' && value !== 'polling') return;
        failures = 0;
        outbox.retryAll();
        receipts.send();
      },
      poll: history.poll,
      onRefused: (reason) => {
        if (reason === 'tokenInvalid') return startLater(0);
        state.obstacle.value = 'unavailable';
        console.error(refusalOf(403, 'ORIGIN_NOT_ALLOWED'));
      },
      random: Math.random,
    });
  };
  const onFrame = (frame: Frame): void => {
    if (frame.type === 'message') history.addNext(frame.message);
    if (frame.type === 'seen') receipts.setSeenByBusiness(frame.sequence);
    if (frame.type === 'typing') typing.setAgentTyping(frame.on, frame.agentName);
  };
  storage.onVisitor((other) => {
    const isOther = other.visitorId !== visitor.visitorId();
    visitor.adopt(other);
    if (isOther || shownVisitorId === null) void show(other.visitorId, true);
  });
  watchPage(state, () => {
    connection?.wake();
    outbox.retryAll();
  });
  effect(() => {
    if (state.isOpen.value && state.isVisible.value && state.messages.value.length > 0)
      untracked(receipts.send);
  });
  if (visitor.isKnown()) {
    state.isOpen.value = storage.isOpen.read() === true && !isPhone();
    void start();
  }

  return {
    state,
    ...outbox,
    open() {
      state.isOpen.value = true;
      storage.isOpen.write(true);
      if (state.connection.value === null) void start();
    },
    close() {
      state.isOpen.value = false;
      storage.isOpen.write(null);
    },
    identify(identity) {
      visitor.identify(identity);
      state.obstacle.value = null;
      void start();
    },
    loadOlder: history.loadOlder,
    onInput: typing.onInput,
    readImage: images.read,
  };
}

/** True if the chat covers the screen; there it does not open by itself. */
export function isPhone(): boolean {
  return matchMedia('(max-width: 480px)').matches;
}

function refusalOf(status: number, code: string): string {
  const remedy = {
    ORIGIN_NOT_ALLOWED: `Origin ${location.origin} is not allowed for this live chat. Add that origin on the dashboard (Settings, Channels, Live chat) or with "shoal channel set BOT liveChat --allowed-origin ${location.origin}".`,
    WIDGET_NOT_FOUND: 'No live chat has this data-widget-key. The dashboard shows the current script line.',
    IDENTITY_REQUIRED:
      'This live chat is for signed-in customers: set data-identifier and data-identifier-hash.',
  }[code];
  return `Shoal live chat: the server refused the session (${status} ${code}). ${remedy ?? ''}`.trim();
}

/** Calls `onWake` when the network or the page is back. */
function watchPage(state: State, onWake: () => void): void {
  const wake = (): void => {
    state.isOnline.value = navigator.onLine;
    state.isVisible.value = document.visibilityState === 'visible';
    if (state.isOnline.value && state.isVisible.value) onWake();
  };
  addEventListener('online', wake);
  addEventListener('offline', wake);
  addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', wake);
}
