/**
 * MantaGo's broadcast: a text or a message template for named clients. docs/mantago.md has the choices.
 */
import { findBot } from '../../bots/bots.ts';
import { accessTokenNeeded, channelState } from '../../bots/channels.ts';
import { Refusal } from '../../errors.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import type { Message } from '../../sends/message.ts';
import { findRecipients } from '../../sends/recipients.ts';
import { createSend } from '../../sends/sends.ts';
import { findTemplate, toMessage } from '../../sends/templates.ts';
import { type Operations, proven, type Sent, type Sources, success } from './operation.ts';

type Body = Sent<'sendBroadcast'>['body'];

const nameLengthMax = 200;

export function broadcastOperations(sources: Sources) {
  const { sql, clock } = sources;
  return {
    sendBroadcast: proven(sources, {
      problemOf,
      async answer(botId, { body }) {
        const { platform, clientIds = [], name } = body;
        await requireChannel(sources, botId, platform);
        const message = await messageOf(sources, botId, body);
        const to = await findRecipients(sql, botId, { platform, ids: clientIds });
        if (to.contactIds.length === 0)
          throw new Refusal('CONTACT_NOT_FOUND', 'None of the contacts is known on this platform.');
        const { timeZone: zone } = await findBot(sql, botId);
        const send = {
          ...{ botId, name, platform, message, to, zone },
          ...{ quietHours: null, startsAt: null, key: null, createdBy: 'MantaGo API' },
        };
        await createSend(sql, send, { now: clock() });
        return success('Send customer broadcast successfully');
      },
    }),
  } satisfies Partial<Operations>;
}

/** What the contract demands in prose. */
function problemOf({
  body: { message, intentId, platform, fbTag, clientIds, name },
}: Sent<'sendBroadcast'>): string | null {
  if (!clientIds || clientIds.length === 0) return 'clientIds in the body is missing or empty';
  if (!message && !intentId) return 'message in the body is missing; else intentId is needed';
  if (message && intentId) return 'message and intentId in the body exclude each other';
  if (platform === 'facebook' && !fbTag) return 'fbTag in the body is missing; facebook needs one';
  if (name.trim() === '' || name.length > nameLengthMax)
    return `name in the body must have 1 to ${nameLengthMax} characters`;
  return null;
}

async function requireChannel({ sql }: Sources, botId: string, platform: PlatformName): Promise<void> {
  const channel = await channelState(sql, { botId, platform });
  if (!channel?.enabled)
    throw new Refusal('CHANNEL_NOT_FOUND', `The bot has no enabled ${platform} channel.`);
  if (accessTokenNeeded(platform) && !channel.accessTokenSet)
    throw new Refusal('BROADCAST_FAILED', `The ${platform} channel has no access token.`);
}

async function messageOf({ sql }: Sources, botId: string, body: Body): Promise<Message> {
  const { platform, message, intentId, fbTag = '' } = body;
  const tag = platform === 'facebook' ? fbTag : null;
  if (!intentId) return { text: message ?? '', quickReplies: [], whatsAppTemplate: null, tag };
  try {
    const { content } = await findTemplate(sql, { botId, templateId: intentId });
    return toMessage(content, { platform, tag });
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'TEMPLATE_NOT_FOUND')) throw error;
    throw new Refusal('BROADCAST_FAILED', `intentId names no message template: ${intentId}.`);
  }
}
