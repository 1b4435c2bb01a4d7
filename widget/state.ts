/** The widget's state. Each value is a signal, so that only its readers render again. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ConnectionState } from './connection.ts';
import { countUnread, type Unsent } from './messages.ts';
import type { Message } from './protocol.ts';

/** Why the chat is not possible until the page or the business changes something. */
export type Obstacle = 'blocked' | 'identityRequired' | 'unavailable';
/** A notice about the visitor's last action. */
export type Notice = 'tooMany' | 'quotaReached' | 'imageTooLarge' | 'imageType' | 'imagesNotAllowed';

export type State = {
  isOpen: Signal<boolean>;
  /** The page is visible. */
  isVisible: Signal<boolean>;
  isOnline: Signal<boolean>;
  /** Null before the first connection. */
  connection: Signal<ConnectionState | null>;
  /** The history is loading. */
  isLoading: Signal<boolean>;
  hasOlder: Signal<boolean>;
  /** The name of the business; empty until it is known. */
  business: Signal<string>;
  messages: Signal<readonly Message[]>;
  unsent: Signal<readonly Unsent[]>;
  /** The server decides; true by default. */
  imagesAllowed: Signal<boolean>;
  /** Sequences. */
  seenByBusiness: Signal<number>;
  seenByVisitor: Signal<number>;
  unread: ReadonlySignal<number>;
  /** The typing agent; null if no one types. The name may be unknown. */
  typing: Signal<{ agentName: string | null } | null>;
  obstacle: Signal<Obstacle | null>;
  notice: Signal<Notice | null>;
};

export function createState(): State {
  const messages = signal<readonly Message[]>([]);
  const seenByVisitor = signal(0);
  return {
    isOpen: signal(false),
    isVisible: signal(document.visibilityState === 'visible'),
    isOnline: signal(navigator.onLine),
    connection: signal<ConnectionState | null>(null),
    isLoading: signal(false),
    hasOlder: signal(false),
    business: signal(''),
    messages,
    unsent: signal<readonly Unsent[]>([]),
    imagesAllowed: signal(true),
    seenByBusiness: signal(0),
    seenByVisitor,
    unread: computed(() => countUnread(messages.value, seenByVisitor.value)),
    typing: signal<{ agentName: string | null } | null>(null),
    obstacle: signal<Obstacle | null>(null),
    notice: signal<Notice | null>(null),
  };
}

/** Resets the state of the visitor; the state of the page stays. */
export function resetVisitor(state: State): void {
  state.messages.value = [];
  state.unsent.value = [];
  state.imagesAllowed.value = true;
  state.hasOlder.value = false;
  state.seenByBusiness.value = 0;
  state.seenByVisitor.value = 0;
  state.typing.value = null;
  state.obstacle.value = null;
  state.notice.value = null;
}
