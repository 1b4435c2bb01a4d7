/**
 * The widget's storage in the browser: the visitor's token for all tabs, and per tab whether the chat is open and the unsent texts.
 * If the browser blocks storage, the values last as long as the page.
 *
 * No cookies: only the widget's own calls carry the token.
 */
import { isObject, parse } from './protocol.ts';

export type StoredVisitor = {
  visitorToken: string;
  visitorId: string;
  /** The hash of the token's identity; null for an anonymous visitor. */
  identifierHash: string | null;
};
export type StoredText = { messageId: string; text: string; writtenAt: number };

export type WidgetStorage = {
  visitor: Slot<StoredVisitor>;
  isOpen: Slot<boolean>;
  unsent: Slot<StoredText[]>;
  /** Calls the listener when another tab stores another visitor. */
  onVisitor(listener: (visitor: StoredVisitor) => void): void;
};
export type Slot<Value> = { read(): Value | null; write(value: Value | null): void };

export function openStorage(widgetKey: string): WidgetStorage {
  const prefix = `shoalChat:${widgetKey}`;
  const visitor = slot(() => localStorage, `${prefix}:visitor`, readVisitor);
  return {
    visitor,
    isOpen: slot(
      () => sessionStorage,
      `${prefix}:open`,
      (value) => (value === true ? true : null),
    ),
    unsent: slot(() => sessionStorage, `${prefix}:unsent`, readTexts),
    onVisitor: (listener) =>
      addEventListener('storage', ({ key, newValue }) => {
        const other = key === `${prefix}:visitor` && newValue ? readVisitor(parse(newValue)) : null;
        if (other !== null) listener(other);
      }),
  };
}

function slot<Value>(
  storage: () => Storage,
  key: string,
  check: (value: unknown) => Value | null,
): Slot<Value> {
  let memory: Value | null = null;
  return {
    read() {
      try {
        return check(parse(storage().getItem(key) ?? '')) ?? memory;
      } catch {
        return memory;
      }
    },
    write(value) {
      memory = value;
      try {
        if (value === null) storage().removeItem(key);
        else storage().setItem(key, JSON.stringify(value));
      } catch {
        // Blocked storage throws; memory holds the value.
      }
    },
  };
}

function readVisitor(value: unknown): StoredVisitor | null {
  if (!isObject(value) || typeof value.visitorToken !== 'string') return null;
  return {
    visitorToken: value.visitorToken,
    visitorId: String(value.visitorId),
    identifierHash: typeof value.identifierHash === 'string' ? value.identifierHash : null,
  };
}

function readTexts(value: unknown): StoredText[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter(
    (one): one is StoredText =>
      isObject(one) &&
      typeof one.messageId === 'string' &&
      typeof one.text === 'string' &&
      typeof one.writtenAt === 'number',
  );
}
