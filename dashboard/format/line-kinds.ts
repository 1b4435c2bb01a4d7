/** LINE's kinds of messages by their names in LINE's manager, always in the same order. */
import { t } from '../texts/line-kinds.ts';

const known = [
  'broadcast',
  'targeting',
  'stepMessage',
  'autoResponse',
  'welcomeResponse',
  'chat',
  'apiBroadcast',
  'apiPush',
  'apiMulticast',
  'apiNarrowcast',
  'apiReply',
  'pnpNoticeMessage',
  'pnpCallToLine',
  'thirdPartyChatTool',
  'push',
  'multicast',
  'narrowcast',
  'reply',
] as const;
/** By the day, LINE tells of the first ones; sends through the gateway have the short names at the end. */
export const lineKinds: readonly string[] = known;

/** What LINE adds is shown as LINE writes it. */
export function kindTitle(kind: string): string {
  const name = known.find((one) => one === kind);
  return name === undefined ? kind : t(name);
}

const coloursMax = 8;

/** The colour of the first, second, … kind that is shown; they come round again. */
export function kindColour(index: number): string {
  return `series-${(index % coloursMax) + 1}`;
}
