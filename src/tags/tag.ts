/**
 * The kinds of tags, and the assignment of a tag to a contact.
 */
export const tagKinds = ['manual', 'personal', 'automatic'] as const;
export type TagKind = (typeof tagKinds)[number];

export type Assignment = { contactId: string; tagId: string };
