/** The bytes of images, loaded once. */
import type { Calls } from './calls.ts';
import type { Visitor } from './visitor.ts';

export type Images = {
  /** Stores an image that the visitor has sent. */
  put(messageId: string, image: Blob): void;
  /** Null if it cannot be loaded. */
  read(messageId: string): Promise<Blob | null>;
};

export function createImages(calls: Calls, visitor: Visitor): Images {
  const byMessage = new Map<string, Blob>();
  return {
    put: (messageId, image) => void byMessage.set(messageId, image),
    async read(messageId) {
      const loaded = byMessage.get(messageId);
      if (loaded) return loaded;
      const outcome = await visitor.withToken((token) => calls.image(token, messageId));
      if (outcome.ok) byMessage.set(messageId, outcome.value);
      return outcome.ok ? outcome.value : null;
    },
  };
}
