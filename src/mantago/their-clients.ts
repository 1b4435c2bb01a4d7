/**
 * MantaGo's clients and tags as its lists return them, read with care: the documents leave members out, and print some in two forms.
 */

import { isFormerIdForm } from '../contacts/former-ids.ts';
import { customerIdLengthMax, type ProfileField } from '../contacts/profiles.ts';
import { Refusal } from '../errors.ts';
import { asText, isObject, type JsonObject } from '../json.ts';
import { contactIdProblem, normalContactId } from '../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { TagKind } from '../tags/tag.ts';
import { tagName } from '../tags/tags.ts';
import { isTime } from '../time.ts';
import type { Problem } from './problems.ts';

export type TheirClient = {
  platform: PlatformName;
  /** Its id on the platform, as MantaGo writes it. */
  clientId: string;
  /** The same as Shoal stores it. */
  contact: string;
  /** MantaGo's own id of the client; null: the list has none. */
  encodedId: string | null;
  /** ms */
  createdAt: number | null;
  profile: Partial<Record<ProfileField, string>>;
  tags: TheirTag[];
};
/** `at` (ms): since when; null: not known. */
export type TheirTag = { kind: TagKind; name: string; at: number | null };

/** A member of an answer that must be a list. */
export function listOf(value: unknown, member: string): JsonObject[] {
  const list = isObject(value) ? value[member] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

const profileMembers: Readonly<Record<string, ProfileField>> = {
  customerId: 'customer_id',
  clientName: 'name',
  clientHeadshot: 'headshot',
  remark: 'remark',
  userName: 'user_name',
  userEmail: 'user_email',
  userPhone: 'user_phone',
  userBirthday: 'user_birthday',
  userAddress: 'user_address',
};
const tagMembers: Readonly<Record<string, TagKind>> = {
  tags: 'manual',
  autoTags: 'automatic',
  personalTags: 'personal',
};
const otherMembers = [
  'clientId',
  'platform',
  'isBlock',
  'createdAt',
  'updatedAt',
  'lastInteractAt',
  'tourTags',
];
const documented = new Set([...Object.keys(profileMembers), ...Object.keys(tagMembers), ...otherMembers]);
const textLengthMax = 2_000;

/** Reads one client of a list. Null: it cannot be a contact; the problems have the reason. */
export function readClient(
  value: JsonObject,
  { encodedMember, problem }: { encodedMember: string | null; problem(problem: Problem): void },
): TheirClient | null {
  const clientId = typeof value.clientId === 'string' ? value.clientId : '';
  const platform = platformNames.find((name) => name === value.platform);
  if (platform === undefined) {
    problem({ reason: 'platform', platform: '', subject: shown(clientId), detail: shown(value.platform) });
    return null;
  }
  const contact = normalContactId(platform, clientId);
  const subject = shown(contact);
  const impossible = contactIdProblem(platform, contact);
  if (impossible !== null) {
    problem({ reason: 'client-id', platform, subject, detail: shown(impossible) });
    return null;
  }
  const about = (reason: Problem['reason'], detail: string) => problem({ reason, platform, subject, detail });
  if (value.isBlock === true) about('blocked', '');
  if (Array.isArray(value.tourTags) && value.tourTags.length > 0)
    about('tour-tags', JSON.stringify(value.tourTags).slice(0, textLengthMax));
  const encodedId = encodedMember === null ? null : value[encodedMember];
  return {
    ...{ platform, clientId, contact },
    encodedId: typeof encodedId === 'string' && isFormerIdForm(encodedId) ? encodedId : null,
    createdAt: timeOf(value.createdAt),
    profile: readProfile(value, about),
    tags: readTags(value, about),
  };
}

/** The beginning of an unknown value, as a text that PostgreSQL can store. */
function shown(value: unknown): string {
  return asText(value).slice(0, 200).toWellFormed().replaceAll('\0', '');
}

type About = (reason: Problem['reason'], detail: string) => void;

function readProfile(value: JsonObject, about: About): TheirClient['profile'] {
  const profile: TheirClient['profile'] = {};
  for (const [member, field] of Object.entries(profileMembers)) {
    const text = textOf(value[member]);
    if (text === '') continue;
    const lengthMax = field === 'customer_id' ? customerIdLengthMax : textLengthMax;
    // PostgreSQL cannot store NUL, and half a surrogate pair would become another character.
    if (text.length <= lengthMax && !/[\0\p{Cs}]/u.test(text)) profile[field] = text;
    else about('profile', `${member}: ${shown(text)}`);
  }
  return profile;
}

/** `remark` is a text in the contract, and a list on an older page. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.length > 0 ? JSON.stringify(value) : '';
}

function readTags(value: JsonObject, about: About): TheirTag[] {
  return Object.entries(tagMembers).flatMap(([member, kind]) =>
    listOf(value, member).flatMap((tag) => {
      const name = readTagName(tag.name);
      if (name === null) about('tag-name', `${member}: ${shown(tag.name)}`);
      return name === null ? [] : [{ kind, name, at: timeOf(tag.createdAt) }];
    }),
  );
}

/** The name as Shoal stores it; null: Shoal allows no such name. */
export function readTagName(value: unknown): string | null {
  try {
    return typeof value === 'string' ? tagName(value) : null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function timeOf(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return isTime(at) ? at : null;
}

/** A member that may hold a client's encoded id, with its value. */
export type Candidate = { member: string; encodedId: string; clientId: string };

const candidatesMax = 4;

/**
 * The members of listed clients that the documents do not mention and that look like an encoded id (`VolejRejN`). MantaGo itself proves
 * which one is: the profile call accepts it.
 */
export function candidatesOf(clients: readonly JsonObject[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const client of clients) {
    const { clientId } = client;
    for (const [member, value] of Object.entries(client)) {
      const isCandidate =
        !documented.has(member) && typeof value === 'string' && isFormerIdForm(value) && value !== clientId;
      if (!isCandidate || typeof clientId !== 'string' || found.has(member)) continue;
      found.set(member, { member, encodedId: value, clientId });
    }
  }
  return [...found.values()].slice(0, candidatesMax);
}
