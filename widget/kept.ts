/**
 * What the browser keeps for this widget key between pages: the visitor's token (for all tabs), and for one tab whether the
 * chat is open and what was written but not sent. A browser that refuses to keep anything keeps it as long as the page lives.
 *
 * Nothing stands in a cookie: the token goes where the widget sends it, and nowhere else.
 */
import { isObject, parse } from './protocol.ts';

export type KeptVisitor = {
  visitorToken: string;
  visitorId: string;
  /** Of the identity it was made for; null for a visitor nobody has vouched for. */
  identifierHash: string | null;
};
export type KeptText = { messageId: string; text: string; writtenAt: number };

export type Kept = {
  visitor: Slot<KeptVisitor>;
  isOpen: Slot<boolean>;
  unsent: Slot<KeptText[]>;
  /** Tells when another tab has another visitor now. */
  onVisitor(told: (visitor: KeptVisitor) => void): void;
};
export type Slot<Value> = { read(): Value | null; write(value: Value | null): void };

export function openKept(widgetKey: string): Kept {
  const place = `shoalChat:${widgetKey}`;
  const visitor = slot(() => localStorage, `${place}:visitor`, readVisitor);
  return {
    visitor,
    isOpen: slot(
      () => sessionStorage,
      `${place}:open`,
      (value) => (value === true ? true : null),
    ),
    unsent: slot(() => sessionStorage, `${place}:unsent`, readTexts),
    onVisitor: (told) =>
      addEventListener('storage', ({ key, newValue }) => {
        const other = key === `${place}:visitor` && newValue ? readVisitor(parse(newValue)) : null;
        if (other !== null) told(other);
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
        // Private windows and blocked storage throw; memory holds it.
      }
    },
  };
}

function readVisitor(value: unknown): KeptVisitor | null {
  if (!isObject(value) || typeof value.visitorToken !== 'string') return null;
  return {
    visitorToken: value.visitorToken,
    visitorId: String(value.visitorId),
    identifierHash: typeof value.identifierHash === 'string' ? value.identifierHash : null,
  };
}

function readTexts(value: unknown): KeptText[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter(
    (one): one is KeptText =>
      isObject(one) &&
      typeof one.messageId === 'string' &&
      typeof one.text === 'string' &&
      typeof one.writtenAt === 'number',
  );
}
