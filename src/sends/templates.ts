/**
 * Message templates: saved messages for sends and for agents. MantaGo's `intentId` names one.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { newId, type Random } from '../random.ts';
import { checkMessage, type Message, type WhatsAppTemplate } from './message.ts';

/** What differs on a platform; other members are the template's own. */
type Variant = { text?: string; quickReplies?: string[] };

export type TemplateContent = {
  /** Null: only a WhatsApp template. */
  text: string | null;
  quickReplies: string[];
  whatsAppTemplate: WhatsAppTemplate | null;
  platforms: Partial<Record<PlatformName, Variant>>;
};

export type MessageTemplate = {
  templateId: string;
  name: string;
  content: TemplateContent;
  createdAt: Date;
  updatedAt: Date;
};

const templatesMax = 1_000;

/** Throws Refusal INPUT_INVALID, TEMPLATE_EXISTS (the name is taken). */
export async function createTemplate(
  sql: Sql,
  { botId, name, content }: { botId: string; name: string; content: TemplateContent },
  { now, random }: { now: number; random: Random },
): Promise<MessageTemplate> {
  checkContent(content);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const [counted] = await tx<{ count: number }[]>`
    select count(*) as count from message_templates where bot_id = ${botId}`;
    if ((counted?.count ?? 0) >= templatesMax)
      throw invalidInput(`A bot can have ${templatesMax} message templates.`);
    const templateId = newId(random);
    const at = new Date(now);
    const { count } = await tx`
    insert into message_templates (bot_id, template_id, name, content, created_at, updated_at)
    values (${botId}, ${templateId}, ${name}, ${JSON.stringify(content)}::text::jsonb, ${at}, ${at})
    on conflict (bot_id, name) do nothing`;
    if (count === 0) throw templateExists(name);
    return findTemplate(tx, { botId, templateId });
  }) as Promise<MessageTemplate>;
}

/** Replaces name and content. Throws as `createTemplate`, and Refusal TEMPLATE_NOT_FOUND. */
export async function updateTemplate(
  sql: Sql,
  { botId, templateId, name, content }: TemplateKey & { name: string; content: TemplateContent },
  { now }: { now: number },
): Promise<MessageTemplate> {
  checkContent(content);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const [row] = await tx<{ isTaken: boolean }[]>`
    update message_templates template set
      name = case when other.template_id is null then ${name} else template.name end,
      content = case when other.template_id is null then ${JSON.stringify(content)}::text::jsonb else template.content end,
      updated_at = case when other.template_id is null then ${new Date(now)} else template.updated_at end
    from (select) one left join message_templates other
      on other.bot_id = ${botId} and other.name = ${name} and other.template_id <> ${templateId}
    where template.bot_id = ${botId} and template.template_id = ${templateId}
    returning other.template_id is not null as "isTaken"`;
    if (row?.isTaken) throw templateExists(name);
    return findTemplate(tx, { botId, templateId });
  }) as Promise<MessageTemplate>;
}

/** Throws Refusal TEMPLATE_NOT_FOUND. */
export async function deleteTemplate(sql: Queryable, key: TemplateKey): Promise<void> {
  const { count } = await sql`
    delete from message_templates where bot_id = ${key.botId} and template_id = ${key.templateId}`;
  if (count === 0) throw templateNotFound(key);
}

export type TemplateKey = { botId: string; templateId: string };

/** Throws Refusal TEMPLATE_NOT_FOUND. */
export async function findTemplate(sql: Queryable, key: TemplateKey): Promise<MessageTemplate> {
  const [row] = await sql<MessageTemplate[]>`
    select template_id as "templateId", name, content, created_at as "createdAt", updated_at as "updatedAt"
    from message_templates where bot_id = ${key.botId} and template_id = ${key.templateId}`;
  if (row) return row;
  throw templateNotFound(key);
}

/** All templates of the bot by name; a bot has a bounded number of them. */
export async function listTemplates(sql: Queryable, botId: string): Promise<MessageTemplate[]> {
  return sql<MessageTemplate[]>`
    select template_id as "templateId", name, content, created_at as "createdAt", updated_at as "updatedAt"
    from message_templates where bot_id = ${botId} order by name`;
}

/** The template's message on a platform. */
export function toMessage(
  { text, quickReplies, whatsAppTemplate, platforms }: TemplateContent,
  { platform, tag }: { platform: PlatformName; tag: string | null },
): Message {
  const variant = platforms[platform] ?? {};
  return {
    text: variant.text ?? text,
    quickReplies: variant.quickReplies ?? quickReplies,
    whatsAppTemplate: platform === 'whatsapp' ? whatsAppTemplate : null,
    tag,
  };
}

/** A template may be too long for some platforms, but not for all. */
function checkContent(content: TemplateContent): void {
  const named = platformNames.filter((platform) => content.platforms[platform] !== undefined);
  for (const platform of named) checkMessage(platform, toMessage(content, { platform, tag: null }));
  const problems = platformNames.flatMap((platform) => problemOn(platform, content) ?? []);
  const [problem] = problems;
  if (problem && problems.length === platformNames.length) throw problem;
}

function problemOn(platform: PlatformName, content: TemplateContent): Refusal | null {
  try {
    checkMessage(platform, toMessage(content, { platform, tag: null }));
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function templateExists(name: string): Refusal {
  return new Refusal('TEMPLATE_EXISTS', `The bot has a message template ${JSON.stringify(name)} already.`);
}

function templateNotFound({ botId, templateId }: TemplateKey): Refusal {
  return new Refusal('TEMPLATE_NOT_FOUND', `Bot ${botId} has no message template ${templateId}.`);
}
