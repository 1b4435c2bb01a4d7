/**
 * The chat behind what is shown: session, history, news, what was seen, who is writing. Puts the parts together; the view calls
 * what stands in `Chat`, and reads the signals of `state`.
 *
 * Nothing is asked of the server before somebody opens the chat, unless the browser is known there or the page says who it is.
 */
import { effect, untracked } from '@preact/signals';
import { type Failure, openCalls } from './calls.ts';
import { type Connection, openConnection } from './connection.ts';
import { openKept } from './kept.ts';
import { mergeMessages, stillUnsent } from './messages.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { reconnectPause } from './pauses.ts';
import type { Frame, Message, MessagePage, Session } from './protocol.ts';
import { openSeen } from './seen.ts';
import type { Identity, Settings } from './settings.ts';
import { createState, forgetVisitor, type State } from './state.ts';
import { createTyping } from './typing.ts';
import { createVisitor } from './visitor.ts';

export type Chat = Pick<Outbox, 'sendText' | 'sendImage' | 'retry'> & {
  state: State;
  open(): void;
  close(): void;
  /** Null: the visitor has signed out. */
  identify(identity: Identity | null): void;
  loadOlder(): Promise<void>;
  /** The visitor is writing; an empty field ends it. */
  typed(isEmpty: boolean): void;
  /** Null when it cannot be had. */
  readImage(messageId: string): Promise<Blob | null>;
};

export function startChat(settings: Settings): Chat {
  const state = createState();
  const calls = openCalls(settings.base);
  const kept = openKept(settings.widgetKey);
  const visitor = createVisitor({
    ...{ calls, kept, identity: settings.identity, language: settings.language },
    lockName: `shoalChat:${settings.widgetKey}`,
    onSession: (session) => void begin(session),
  });
  /** By message: what was shown once is not fetched again. */
  const images = new Map<string, Blob>();
  const outbox = createOutbox({
    ...{ state, calls, visitor, kept: kept.unsent },
    onStored: (message, content) => {
      if (content.kind === 'image') images.set(message.messageId, content.image);
      add([message]);
    },
  });
  const seen = openSeen(settings.widgetKey, { state, calls, visitor });
  const typing = createTyping(state, (on) => connection?.send({ type: 'typing', on }));
  let connection: Connection | null = null;
  /** Up to which sequence everything is known. What was sent goes past it: there may be something before that. */
  let position = 0;
  let failures = 0;
  let startTimer = 0;
  /** Goes up with each new beginning: what an older one still waits for is not taken any more. */
  let beginnings = 0;
  let shownVisitorId: string | null = null;

  const start = async (): Promise<void> => {
    clearTimeout(startTimer);
    state.connection.value ??= 'connecting';
    const outcome = await visitor.start();
    if (outcome.ok) return begin(outcome.value);
    later(outcome);
  };
  const begin = async ({ name, visitorId, lastSequence, imagesAllowed }: Session): Promise<void> => {
    state.business.value = name;
    const shown = show(visitorId, lastSequence > 0);
    state.imagesAllowed.value = imagesAllowed;
    await shown;
  };
  const show = async (visitorId: string, hasMessages: boolean): Promise<void> => {
    beginnings += 1;
    const beginning = beginnings;
    connection?.close();
    connection = null;
    if (shownVisitorId !== null && shownVisitorId !== visitorId) {
      forgetVisitor(state);
      kept.unsent.write(null);
      position = 0;
    }
    shownVisitorId = visitorId;
    if (hasMessages && position === 0 && !(await loadNewest(beginning))) return;
    if (beginning !== beginnings) return;
    connect();
    outbox.restore();
  };
  const loadNewest = async (beginning: number): Promise<boolean> => {
    state.isLoading.value = true;
    const outcome = await calls.messages(visitor.token() ?? '', {});
    if (beginning !== beginnings) return false;
    state.isLoading.value = false;
    if (!outcome.ok) later(outcome);
    else {
      state.hasOlder.value = outcome.value.hasMore;
      take(outcome.value);
    }
    return outcome.ok;
  };
  const startAgain = (pauseMsMin: number): void => {
    failures += 1;
    startTimer = setTimeout(start, Math.max(pauseMsMin, reconnectPause(failures, Math.random())));
  };
  const later = ({ status, code, retryAfterSeconds }: Failure): void => {
    if (status === 0 || status === 429 || status >= 500) {
      state.connection.value = 'away';
      startAgain(retryAfterSeconds * 1_000);
      return;
    }
    state.connection.value = 'closed';
    state.obstacle.value = code === 'IDENTITY_REQUIRED' ? 'identityRequired' : 'unavailable';
    // For the page's developers: a visitor can do nothing about it.
    console.error(refusalOf(status, code));
  };
  const connect = (): void => {
    connection = openConnection({
      socketUrl: new URL('socket', settings.base.replace(/^http/, 'ws')).href,
      hello: () => ({ visitorToken: visitor.token() ?? '', after: position }),
      onFrame,
      onState: (value) => {
        state.connection.value = value;
        if (value === 'closed') typing.heard(false, null);
        if (value !== 'live' && value !== 'polling') return;
        failures = 0;
        outbox.retryAll();
        seen.tell();
      },
      poll,
      onRefused: (why) => {
        if (why === 'tokenInvalid') return startAgain(0);
        state.obstacle.value = 'unavailable';
        console.error(refusalOf(403, 'ORIGIN_NOT_ALLOWED'));
      },
      random: Math.random,
    });
  };
  const onFrame = (frame: Frame): void => {
    if (frame.type === 'message') {
      position = Math.max(position, frame.message.sequence);
      add([frame.message]);
    }
    if (frame.type === 'seen') seen.byBusiness(frame.sequence);
    if (frame.type === 'typing') typing.heard(frame.on, frame.agentName);
  };
  const poll = async (): Promise<boolean> => {
    for (;;) {
      const beginning = beginnings;
      const outcome = await visitor.withToken((token) => calls.messages(token, { after: position }));
      if (!outcome.ok || beginning !== beginnings) return outcome.ok;
      take(outcome.value);
      if (!outcome.value.hasMore) return true;
    }
  };
  const take = (page: MessagePage): void => {
    position = Math.max(position, page.messages.at(-1)?.sequence ?? 0);
    seen.byBusiness(page.seenByBusiness);
    seen.byVisitor(page.seenByVisitor);
    add(page.messages);
  };
  const add = (messages: readonly Message[]): void => {
    if (messages.some(({ from }) => from !== 'visitor')) {
      typing.heard(false, null);
      state.imagesAllowed.value = true;
      if (state.notice.value === 'imagesNotAllowed') state.notice.value = null;
    }
    state.messages.value = mergeMessages(state.messages.value, messages);
    state.unsent.value = stillUnsent(state.unsent.value, messages);
  };

  kept.onVisitor((other) => {
    const isOther = other.visitorId !== visitor.visitorId();
    visitor.adopt(other);
    if (isOther || shownVisitorId === null) void show(other.visitorId, true);
  });
  watchPage(state, () => {
    connection?.wake();
    outbox.retryAll();
  });
  effect(() => {
    if (state.isOpen.value && state.isVisible.value && state.messages.value.length > 0) untracked(seen.tell);
  });
  if (visitor.isExpected()) {
    state.isOpen.value = kept.isOpen.read() === true && !isPhone();
    void start();
  }

  return {
    state,
    ...outbox,
    open() {
      state.isOpen.value = true;
      kept.isOpen.write(true);
      if (state.connection.value === null) void start();
    },
    close() {
      state.isOpen.value = false;
      kept.isOpen.write(null);
    },
    identify(identity) {
      visitor.identify(identity);
      state.obstacle.value = null;
      void start();
    },
    async loadOlder() {
      const before = state.messages.value[0]?.sequence;
      if (before === undefined || state.isLoading.value || !state.hasOlder.value) return;
      state.isLoading.value = true;
      const beginning = beginnings;
      const outcome = await visitor.withToken((token) => calls.messages(token, { before }));
      if (beginning !== beginnings) return;
      if (outcome.ok) {
        state.hasOlder.value = outcome.value.hasMore;
        add(outcome.value.messages);
      }
      state.isLoading.value = false;
    },
    typed: typing.typed,
    async readImage(messageId) {
      const known = images.get(messageId);
      if (known) return known;
      const outcome = await visitor.withToken((token) => calls.image(token, messageId));
      if (outcome.ok) images.set(messageId, outcome.value);
      return outcome.ok ? outcome.value : null;
    },
  };
}

/** Where the chat takes the whole screen, it does not open by itself. */
export function isPhone(): boolean {
  return matchMedia('(max-width: 480px)').matches;
}

function refusalOf(status: number, code: string): string {
  const remedy = {
    ORIGIN_NOT_ALLOWED: `Pages of ${location.origin} may not use this live chat. Add that origin on the dashboard (Settings, Channels, Live chat) or with "shoal channel set BOT liveChat --allowed-origin ${location.origin}".`,
    WIDGET_NOT_FOUND: 'No live chat has this data-widget-key. The dashboard shows the current script line.',
    IDENTITY_REQUIRED:
      'This live chat is for signed-in customers: set data-identifier and data-identifier-hash.',
  }[code];
  return `Shoal live chat: the server refused the session (${status} ${code}). ${remedy ?? ''}`.trim();
}

/** `woken`: the network may be back, or the page is in front again. */
function watchPage(state: State, woken: () => void): void {
  const wake = (): void => {
    state.isOnline.value = navigator.onLine;
    state.isVisible.value = document.visibilityState === 'visible';
    if (state.isOnline.value && state.isVisible.value) woken();
  };
  addEventListener('online', wake);
  addEventListener('offline', wake);
  addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', wake);
}
