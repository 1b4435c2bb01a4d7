/**
 * The message of a send, as pure code: its form, and its text for one recipient.
 *
 * Variables are written `{{name}}`, with a text for contacts without the value after a bar: `{{name|customer}}`.
 */
import { createHash } from 'node:crypto';
import { invalidInput } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** A template that WhatsApp has approved, with the values of its body's parameters in order. */
export type WhatsAppTemplate = { name: string; language: string; parameters: string[] };

export type Message = {
  /** Null: only a WhatsApp template. */
  text: string | null;
  quickReplies: string[];
  whatsAppTemplate: WhatsAppTemplate | null;
  /** Messenger's message tag. */
  tag: string | null;
};

/** The values of the variables; null: unknown. */
export type Variables = { [name in VariableName]: string | null };

export const variableNames = [
  'name',
  'customerId',
  'userName',
  'userEmail',
  'userPhone',
  'userBirthday',
  'userAddress',
] as const;
type VariableName = (typeof variableNames)[number];

/** The platforms' limits. Sources: the message references of LINE, Messenger, Instagram and WhatsApp; docs/live-chat.md. */
export const messageLimits: Readonly<Record<PlatformName, { text: number; replies: number; reply: number }>> =
  {
    line: { text: 5_000, replies: 13, reply: 20 },
    facebook: { text: 2_000, replies: 13, reply: 20 },
    instagram: { text: 1_000, replies: 13, reply: 20 },
    whatsapp: { text: 4_096, replies: 3, reply: 20 },
    liveChat: { text: 2_000, replies: 10, reply: 40 },
  };

/** Of a WhatsApp message with buttons. */
const buttonTextMax = 1_024;

const variable = /\{\{\s*([A-Za-z]+)\s*(?:\|([^{}]*))?\}\}/g;

/** Throws Refusal INPUT_INVALID for a message that the platform would refuse from everyone. */
export function checkMessage(
  platform: PlatformName,
  { text, quickReplies, whatsAppTemplate, tag }: Message,
): void {
  const limits = messageLimits[platform];
  if (text === null && (platform !== 'whatsapp' || whatsAppTemplate === null))
    throw invalidInput(`A message on ${platform} needs a text.`);
  if (text !== null && (text.trim() === '' || text.length > limits.text))
    throw invalidInput(`A text on ${platform} must have 1 to ${limits.text} characters.`);
  if (platform === 'whatsapp' && quickReplies.length > 0 && (text?.length ?? 0) > buttonTextMax)
    throw invalidInput(`A text with quick replies on whatsapp must have 1 to ${buttonTextMax} characters.`);
  if (quickReplies.length > limits.replies)
    throw invalidInput(`A message on ${platform} can have ${limits.replies} quick replies at most.`);
  if (quickReplies.some((reply) => reply.trim() === '' || reply.length > limits.reply))
    throw invalidInput(`A quick reply on ${platform} must have 1 to ${limits.reply} characters.`);
  if (tag !== null && platform !== 'facebook') throw invalidInput(`A message on ${platform} has no tag.`);
  for (const part of [text ?? '', ...(whatsAppTemplate?.parameters ?? [])]) checkVariables(part);
}

/** Throws Refusal INPUT_INVALID for an unknown variable. */
export function checkVariables(text: string): void {
  for (const [, name = ''] of text.matchAll(variable)) {
    if (!isVariable(name))
      throw invalidInput(`There is no variable ${name}; the variables are ${variableNames.join(', ')}.`);
  }
}

/** True if the message differs between recipients. */
export function isPersonal({ text, whatsAppTemplate }: Message): boolean {
  return [text ?? '', ...(whatsAppTemplate?.parameters ?? [])].some((part) => part.search(variable) >= 0);
}

/**
 * The message for one recipient; null: none of its values is known. A variable without value and without a text after its bar is empty.
 */
export function personalize(message: Message, variables: Variables | null): Message {
  const fill = (text: string) =>
    text.replace(variable, (whole, name: string, fallback = '') =>
      isVariable(name) ? (variables?.[name] ?? fallback) : whole,
    );
  const { text, whatsAppTemplate } = message;
  return {
    ...message,
    text: text === null ? null : fill(text),
    whatsAppTemplate: whatsAppTemplate && {
      ...whatsAppTemplate,
      parameters: whatsAppTemplate.parameters.map(fill),
    },
  };
}

function isVariable(name: string): name is VariableName {
  return variableNames.some((one) => one === name);
}

/** Identifies a call to a platform: the same for each attempt, in the form of a UUID. */
export function callKey(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(parts.join(' ')).digest('hex');
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}
