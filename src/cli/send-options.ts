/**
 * The options of `shoal send preview` and `shoal send create`: whom a send reaches, its message and its times.
 */
import { readFile } from 'node:fs/promises';
import { addedBetween, anyContact, type ContactFilter } from '../contacts/filter.ts';
import type { Queryable } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import { instantHelp, readInstant } from '../imports/values.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Message } from '../sends/message.ts';
import { readLocalTime, readQuietHours } from '../sends/quiet-hours.ts';
import { findRecipients } from '../sends/recipients.ts';
import type { NewSend, QuietHours } from '../sends/sends.ts';
import { findTemplate, toMessage } from '../sends/templates.ts';
import { isDay, isTimeZone } from '../time.ts';
import type { ShoalCommand } from './command.ts';

export type AudienceOptions = {
  contacts?: string;
  all?: boolean;
  tagId?: string;
  contactName?: string;
  customerId?: string;
  createdFrom?: string;
  createdTo?: string;
  zone?: string;
};

export function addAudienceOptions(command: ShoalCommand): ShoalCommand {
  return command
    .option(
      '--contacts <file>',
      'file with one contact a line: an id on the platform or an encoded client id',
    )
    .option('--all', 'all contacts of the platform')
    .option('--tag-id <id>', 'only contacts with this tag, by id or name')
    .option('--contact-name <name>', 'only contacts whose name contains this text')
    .option('--customer-id <id>', 'only contacts with this customer id')
    .option('--created-from <day>', 'only contacts that were added on this day or later')
    .option('--created-to <day>', 'only contacts that were added on this day or earlier')
    .option('--zone <zone>', "time zone of days and times, such as Asia/Taipei (default: the bot's)");
}

/** The contacts of a send: the lines of a file, or a filter. */
export type Audience =
  | { contacts: string[] }
  | {
      filter: Pick<ContactFilter, 'tag' | 'name' | 'customerId'>;
      days: { createdFrom?: string; createdTo?: string };
    };

/** Throws Refusal INPUT_INVALID. */
export async function readAudience(options: AudienceOptions): Promise<Audience> {
  const { contacts, all = false, tagId = null, contactName = null, customerId = null, zone } = options;
  const { createdFrom, createdTo } = options;
  if (zone !== undefined && !isTimeZone(zone))
    throw invalidInput(`--zone must be a time zone, such as Asia/Taipei, not ${zone}.`);
  for (const day of [createdFrom, createdTo])
    if (day !== undefined && !isDay(day))
      throw invalidInput(`A day must have the form 2026-12-31, not ${day}.`);
  const days = { ...(createdFrom && { createdFrom }), ...(createdTo && { createdTo }) };
  const isFiltered = [tagId, contactName, customerId, ...Object.values(days)].some((value) => value !== null);
  if ([contacts !== undefined, all, isFiltered].filter(Boolean).length !== 1)
    throw invalidInput(
      'Give either --contacts, --all, or filters (--tag-id, --contact-name, --customer-id, --created-from, --created-to).',
    );
  if (contacts === undefined) return { filter: { tag: tagId, name: contactName, customerId }, days };
  const text = await readFile(contacts, 'utf8').catch(() => {
    throw invalidInput(`The file ${contacts} cannot be read.`);
  });
  const lines = text.split('\n').map((line) => line.trim());
  return { contacts: lines.filter((line) => line !== '') };
}

export async function audienceOf(
  sql: Queryable,
  {
    botId,
    platform,
    audience,
    zone,
  }: { botId: string; platform: PlatformName; audience: Audience; zone: string },
): Promise<NewSend['to']> {
  if ('contacts' in audience) return findRecipients(sql, botId, { platform, ids: audience.contacts });
  const { filter, days } = audience;
  return { filter: { ...anyContact, ...filter, platform, ...addedBetween(days, zone) } };
}

export type MessageOptions = {
  text?: string;
  template?: string;
  quickReply: string[];
  whatsappTemplate?: string;
  whatsappLanguage?: string;
  whatsappParameter: string[];
  messageTag?: string;
};

export function addMessageOptions(command: ShoalCommand): ShoalCommand {
  const more = (text: string, texts: string[]) => [...texts, text];
  return command
    .option('--text <text>', 'the message; can have variables such as {{name|customer}}')
    .option('--quick-reply <text>', 'a quick reply; can be repeated', more, [])
    .option('--template <id>', 'id of a message template, instead of the other parts of a message')
    .option('--whatsapp-template <name>', "WhatsApp template for contacts outside of WhatsApp's 24 hours")
    .option('--whatsapp-language <code>', 'its language, such as zh_TW')
    .option('--whatsapp-parameter <text>', 'the next parameter of its body; can be repeated', more, [])
    .option('--message-tag <tag>', "Messenger's message tag, such as ACCOUNT_UPDATE");
}

/** Throws Refusal INPUT_INVALID if the options are no message, or belong to two. */
export function checkMessageOptions(options: MessageOptions): void {
  const { text, template, quickReply, whatsappTemplate, whatsappLanguage, whatsappParameter } = options;
  const hasParts = text !== undefined || whatsappTemplate !== undefined;
  const hasAdditions =
    quickReply.length > 0 || whatsappLanguage !== undefined || whatsappParameter.length > 0;
  if (hasParts === (template !== undefined)) throw invalidInput('Give either --text or --template.');
  if (template !== undefined && hasAdditions)
    throw invalidInput('A message template has its own quick replies and WhatsApp template.');
  if ((whatsappTemplate === undefined) !== (whatsappLanguage === undefined))
    throw invalidInput('Give --whatsapp-template and --whatsapp-language together.');
  if (whatsappParameter.length > 0 && whatsappTemplate === undefined)
    throw invalidInput('--whatsapp-parameter needs --whatsapp-template.');
}

/** Throws Refusal TEMPLATE_NOT_FOUND. */
export async function messageOf(
  sql: Queryable,
  { botId, platform, options }: { botId: string; platform: PlatformName; options: MessageOptions },
): Promise<Message> {
  const { text = null, template, quickReply: quickReplies, messageTag: tag = null } = options;
  const { whatsappTemplate: name, whatsappLanguage: language, whatsappParameter: parameters } = options;
  if (template !== undefined)
    return toMessage((await findTemplate(sql, { botId, templateId: template })).content, { platform, tag });
  const whatsAppTemplate =
    name === undefined || language === undefined ? null : { name, language, parameters };
  return { text, quickReplies, whatsAppTemplate, tag };
}

export type TimeOptions = { startAt?: string; quietHours?: string };

export function addTimeOptions(command: ShoalCommand): ShoalCommand {
  return command
    .option('--start-at <time>', `local time (2026-12-31T09:00), ${instantHelp} (default: now)`)
    .option('--quiet-hours <times>', 'nothing is sent between these times of day, such as 22:00-08:00');
}

/** Throws Refusal INPUT_INVALID. */
export function timesOf(
  { startAt, quietHours }: TimeOptions,
  zone: string,
): { startsAt: number | null; quietHours: QuietHours | null } {
  const [from = '', until = ''] = quietHours?.split('-') ?? [];
  return {
    startsAt: startAt === undefined ? null : startOf(startAt, zone),
    quietHours: quietHours === undefined ? null : readQuietHours({ from, until }),
  };
}

function startOf(text: string, zone: string): number {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) ? readLocalTime(text, zone) : readInstant(text, zone);
}
