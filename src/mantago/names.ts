/**
 * The names of an import's counts and of the reasons why something was left out. The commands, the API and the dashboard show them.
 */

/** What a walk has read and changed, in the order in which it is shown. */
export const countNames = [
  'clients',
  'contactsAdded',
  'profiles',
  'customers',
  'formerIds',
  'tags',
  'assignments',
  'pointContacts',
  'pointEntries',
  'points',
  'days',
  'answers',
] as const;

/** The reasons, in English. The dashboard has its own texts. */
export const problemReasons = {
  platform: 'The platform is none of the five, so the client was left out.',
  'client-id': 'No contact of the platform can have this id, so the client was left out.',
  deleted: "The contact's data were deleted in Shoal, so the client was left out. Delete it in MantaGo, too.",
  'encoded-id-taken': 'The encoded id already leads to another contact, so the old id was left out.',
  'encoded-id-unknown': 'MantaGo knows no client of this encoded id, so the old id was left out.',
  'encoded-ids': "MantaGo's list does not contain the clients' encoded ids. Import them from a file: --ids.",
  profile: 'A field of the profile is too long or not valid Unicode and was left out.',
  blocked:
    'The client has blocked the account. Shoal counts blocks from events and from LINE itself, so this one does not count.',
  'tag-name': 'A tag name must have 1 to 100 characters and no control characters. The tag was left out.',
  'tag-list':
    'MantaGo does not answer this list, so its tags came from the clients only, without their settings.',
  'personal-tag':
    'MantaGo does not say which clients have this personal tag. The tag exists, without clients.',
  'tour-tags': 'The form of tour tags is not documented.',
  points: 'The points are no whole number from 0 to 1,000,000,000 and were left out.',
  'points-unanswered': 'MantaGo did not answer the points of this client.',
  'points-short':
    'MantaGo took points since the last walk that the contact has spent in Shoal. The difference was left out.',
  followers: 'MantaGo did not answer its followers by day.',
  paging: "MantaGo's list repeated a page, so clients may be missing. Run the import again.",
} as const;
export type ProblemReason = keyof typeof problemReasons;

export function isProblemReason(value: unknown): value is ProblemReason {
  return typeof value === 'string' && Object.hasOwn(problemReasons, value);
}

/** What no call of MantaGo's returns, whatever the client. */
export const neverCarried = {
  messages: 'Messages and conversations: no call returns them. Shoal counts from its connection on.',
  modules:
    'Conversation modules (`intentId`): no call returns them. Create message templates; they have new ids.',
  gifts: 'Rewards: bring them as a file with `shoal gift import`.',
  interaction: '`lastInteractAt` and `isBlock`: Shoal takes both from events.',
} as const;
