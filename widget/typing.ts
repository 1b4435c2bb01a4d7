/** Who is writing, both ways. Either side says it now and then, so that one who went away does not write for ever. */
import type { State } from './state.ts';

export type Typing = {
  /** What the business's side says. */
  heard(on: boolean, agentName: string | null): void;
  /** The visitor changed the field; an empty field ends it. */
  typed(isEmpty: boolean): void;
};

/** Said again after this, while the writing goes on. */
const sayAgainMs = 4_000;
const idleMsMax = 6_000;
const heardMsMax = 10_000;

export function createTyping(state: State, say: (on: boolean) => void): Typing {
  let heardTimer = 0;
  let idleTimer = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  const end = (): void => {
    clearTimeout(idleTimer);
    if (saidAt !== Number.NEGATIVE_INFINITY) say(false);
    saidAt = Number.NEGATIVE_INFINITY;
  };
  return {
    heard(on, agentName) {
      clearTimeout(heardTimer);
      state.typing.value = on ? { agentName } : null;
      if (on) heardTimer = setTimeout(() => this.heard(false, null), heardMsMax);
    },
    typed(isEmpty) {
      if (isEmpty) return end();
      clearTimeout(idleTimer);
      idleTimer = setTimeout(end, idleMsMax);
      if (performance.now() - saidAt < sayAgainMs) return;
      saidAt = performance.now();
      say(true);
    },
  };
}
