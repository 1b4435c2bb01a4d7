/**
 * Operations on message templates, and the list of templates that the WhatsApp account has at Meta.
 */
import { findChannel } from '../../bots/channels.ts';
import { Refusal } from '../../errors.ts';
import { GraphFailure } from '../../meta/graph-client.ts';
import { listAccountTemplates } from '../../meta/message-templates.ts';
import {
  createTemplate,
  deleteTemplate,
  findTemplate,
  listTemplates,
  type MessageTemplate,
  type TemplateContent,
  updateTemplate,
} from '../../sends/templates.ts';
import { withIsoDates } from '../iso.ts';
import type { Body, Call, Operations, Sources } from './operation.ts';

export function templateOperations({ sql, keys, clock, random, graph }: Sources) {
  const keyOf = ({ bot, params }: Pick<Call<'getMessageTemplate'>, 'bot' | 'params'>) => ({
    botId: bot.botId,
    templateId: params.templateId,
  });
  return {
    listMessageTemplates: async ({ bot }) => ({
      templates: (await listTemplates(sql, bot.botId)).map(toTemplate),
    }),
    createMessageTemplate: async ({ bot: { botId }, body }) => {
      const template = { botId, name: body.name, content: contentOf(body) };
      return toTemplate(await createTemplate(sql, template, { now: clock(), random }));
    },
    getMessageTemplate: async (call) => toTemplate(await findTemplate(sql, keyOf(call))),
    replaceMessageTemplate: async (call) => {
      const { body } = call;
      const template = { ...keyOf(call), name: body.name, content: contentOf(body) };
      return toTemplate(await updateTemplate(sql, template, { now: clock() }));
    },
    deleteMessageTemplate: (call) => sql.begin((tx) => deleteTemplate(tx, keyOf(call))),
    async listWhatsAppTemplates({ bot: { botId } }) {
      const channel = await findChannel(sql, keys, { botId, platform: 'whatsapp', now: clock() });
      if (channel === null) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no whatsapp channel.`);
      const { accessToken, businessAccountId } = channel;
      if (accessToken === null || businessAccountId === null)
        return { templates: [], problem: 'The channel has no access token or no business account id.' };
      try {
        const templates = await listAccountTemplates(graph, { accessToken, businessAccountId });
        return { templates, problem: null };
      } catch (error) {
        if (!(error instanceof GraphFailure)) throw error;
        return { templates: [], problem: error.message };
      }
    },
  } satisfies Partial<Operations>;
}

function contentOf(body: Body<'createMessageTemplate'>): TemplateContent {
  const { text, quickReplies = [], whatsAppTemplate, platforms = {} } = body;
  return { text: text ?? null, quickReplies, whatsAppTemplate: whatsAppTemplate ?? null, platforms };
}

function toTemplate({ content, ...template }: MessageTemplate) {
  return { ...withIsoDates(template), ...content };
}
