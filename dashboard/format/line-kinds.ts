/** LINE's kinds of messages with their names in LINE Official Account Manager, in a fixed order. */
import { t } from '../texts/line-kinds.ts';

const kinds = [
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
  'pnp',
] as const;
/** LINE's daily figures use the long names; sends through the gateway use the short names at the end. */
export const lineKinds: readonly string[] = kinds;

/** The name of a kind; a new kind of LINE keeps LINE's name. */
export function kindTitle(kind: string): string {
  const name = kinds.find((one) => one === kind);
  return name === undefined ? kind : t(name);
}

const coloursMax = 8;

/** The colour of the nth visible kind; colours repeat. */
export function kindColour(index: number): string {
  return `series-${(index % coloursMax) + 1}`;
}
