/**
 * The likely reason of a gap between MantaGo's figure and ours.
 */

/** The reasons, in English. The dashboard has a text for each. */
export const gapReasons = {
  'not-yet-followers':
    'Shoal counts a contact from its first event after the connection. Contacts that were brought over and have not written since do not count yet.',
  'line-snapshot':
    "Shoal's number is LINE's own of the latest day, plus later events. MantaGo may count another day, or its own events.",
  'blocks-from-events':
    'Shoal counts blocks from events, and on LINE from LINE itself; earlier blocks are unknown.',
  'since-connection': 'Shoal counts messages and conversations since its connection; MantaGo since its own.',
  'tag-cover': 'MantaGo does not define tag coverage. Shoal divides contacts with a tag by followers.',
  'line-day': "LINE's shares are of another day, or grouped in another way.",
  'quota-time': "LINE's quota and sends change during the day; MantaGo does not say which period it counts.",
  channel: 'The channel is connected in one of the two only.',
  plan: 'The plan is set by hand, or derived from the quota.',
  'points-since': 'Points have changed since the last import. Run the import again.',
  'changed-since': 'The profile, tags or binding have changed since the last import. Run the import again.',
  'not-imported': 'Clients are missing in Shoal. Run the import again.',
  unexplained: 'No known reason.',
} as const;
export type GapReason = keyof typeof gapReasons;

export function isGapReason(value: unknown): value is GapReason {
  return typeof value === 'string' && Object.hasOwn(gapReasons, value);
}

/** The calls that a comparison makes. */
export const comparedCalls = [
  'clients/analysis',
  'message/analysis',
  'client/point',
  'clients',
  'clients/statistics',
  'autoTags/list',
] as const;
export type ComparedCall = (typeof comparedCalls)[number];

const rules: readonly (readonly [calls: readonly ComparedCall[], figure: RegExp, reason: GapReason])[] = [
  [['clients/analysis', 'message/analysis'], /IsIntegration$/, 'channel'],
  [['clients/analysis', 'clients/statistics'], /^lineFollowers/, 'line-snapshot'],
  [['clients/analysis'], /^lineBlocks$/, 'line-snapshot'],
  [['clients/analysis', 'clients/statistics'], /Followers/, 'not-yet-followers'],
  [['clients/analysis'], /Blocks$/, 'blocks-from-events'],
  [['clients/analysis'], /Message(Numbers|s)$/, 'since-connection'],
  [['clients/analysis'], /TagCoverRate$/, 'tag-cover'],
  [['clients/analysis'], /^line(Genders|Ages|Areas|AppTypes) /, 'line-day'],
  [['message/analysis'], /AverageConversation/, 'since-connection'],
  [['message/analysis'], /^lineProgram$/, 'plan'],
  [['message/analysis'], /^line/, 'quota-time'],
  [['client/point'], /./, 'points-since'],
  [['clients'], /^known$/, 'not-imported'],
  [['clients', 'autoTags/list'], /./, 'changed-since'],
];

export function reasonOf(call: ComparedCall, figure: string): GapReason {
  const rule = rules.find(([calls, pattern]) => calls.includes(call) && pattern.test(figure));
  return rule?.[2] ?? 'unexplained';
}
