/** Typing indicators, in both directions. Each side repeats its state, so that a lost end of typing expires. */
import type { State } from './state.ts';

export type Typing = {
  /** The agent started or stopped typing. */
  setAgentTyping(on: boolean, agentName: string | null): void;
  /** The visitor changed the field; an empty field ends typing. */
  onInput(isEmpty: boolean): void;
};

/** The interval of reports while the visitor types. */
const reportEveryMs = 4_000;
const idleMsMax = 6_000;
const agentMsMax = 10_000;

export function createTyping(state: State, report: (on: boolean) => void): Typing {
  let agentTimer = 0;
  let idleTimer = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const end = (): void => {
    clearTimeout(idleTimer);
    if (reportedAt !== Number.NEGATIVE_INFINITY) report(false);
    reportedAt = Number.NEGATIVE_INFINITY;
  };
  return {
    setAgentTyping(on, agentName) {
      clearTimeout(agentTimer);
      state.typing.value = on ? { agentName } : null;
      if (on) agentTimer = setTimeout(() => this.setAgentTyping(false, null), agentMsMax);
    },
    onInput(isEmpty) {
      if (isEmpty) return end();
      clearTimeout(idleTimer);
      idleTimer = setTimeout(end, idleMsMax);
      if (performance.now() - reportedAt < reportEveryMs) return;
      reportedAt = performance.now();
      report(true);
    },
  };
}
