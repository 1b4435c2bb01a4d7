/**
 * The message of a send, as pure code: its form, and its text for one recipient.
 */
import { createHash } from 'node:crypto';
import { invalidInput } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { buttonTextMax, messageLimits } from './message-limits.ts';
import { fillVariables, hasVariables, unknownVariable, type Variables, variableNames } from './variables.ts';

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
  const name = unknownVariable(text);
  if (name !== null)
    throw invalidInput(`There is no variable ${name}; the variables are ${variableNames.join(', ')}.`);
}

/** True if the message differs between recipients. */
export function isPersonal({ text, whatsAppTemplate }: Message): boolean {
  return [text ?? '', ...(whatsAppTemplate?.parameters ?? [])].some(hasVariables);
}

/** The message for one recipient; null: none of its values is known. */
export function personalize(message: Message, variables: Variables | null): Message {
  const fill = (text: string) => fillVariables(text, variables);
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
