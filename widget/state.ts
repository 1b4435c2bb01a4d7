/** What the widget shows: everything that can change, each a signal, so that only what shows it is drawn again. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ConnectionState } from './connection.ts';
import { countUnread, type Unsent } from './messages.ts';
import type { Message } from './protocol.ts';

/** What stands in the way of chatting until something changes on the page or at the business. */
export type Obstacle = 'blocked' | 'identityRequired' | 'unavailable';
/** What the visitor is told once, about something just tried. */
export type Notice = 'tooMany' | 'quotaReached' | 'imageTooLarge' | 'imageType' | 'imagesNotAllowed';

export type State = {
  isOpen: Signal<boolean>;
  /** The page is in front of somebody. */
  isVisible: Signal<boolean>;
  isOnline: Signal<boolean>;
  /** Null before there is anything to connect for. */
  connection: Signal<ConnectionState | null>;
  /** The history is being fetched. */
  isLoading: Signal<boolean>;
  hasOlder: Signal<boolean>;
  /** Of the business; empty until it is known. */
  business: Signal<string>;
  messages: Signal<readonly Message[]>;
  unsent: Signal<readonly Unsent[]>;
  /** The server decides; true until it says otherwise. */
  imagesAllowed: Signal<boolean>;
  /** Sequences. */
  seenByBusiness: Signal<number>;
  seenByVisitor: Signal<number>;
  unread: ReadonlySignal<number>;
  /** Who is writing, null for nobody; the name may be unknown. */
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

/** Back to how it is for somebody who never wrote; what the page knows about itself stays. */
export function forgetVisitor(state: State): void {
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
