/**
 * The kinds of tags, and the assignment of a tag to a contact.
 */
import { Refusal } from '../errors.ts';

export const tagKinds = ['manual', 'personal', 'automatic'] as const;
export type TagKind = (typeof tagKinds)[number];

export type Assignment = { contactId: string; tagId: string };
/** An assignment to make. It begins at `beganAt` (ms); left out: now. */
export type NewAssignment = Assignment & { beganAt?: number };

export function unknownTag(tagId: string): Refusal {
  return new Refusal('TAG_NOT_FOUND', `The bot has no tag ${JSON.stringify(tagId)}.`);
}
