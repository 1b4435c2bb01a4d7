/**
 * Sends in live chat: posts each message with an id of its own, so that a repeated call posts nothing new.
 */
import { Refusal } from '../errors.ts';
import type { Posting } from '../live-chat/posting.ts';
import { secondMs } from '../time.ts';
import type { Outcome, Sender } from './sender.ts';

const laterMs = 2 * secondMs;

export function liveChatSender(posting: Posting): Sender {
  return {
    recipientsMax: 1,
    isRepeatable: true,
    callsPerSecond: { single: 500, multiple: 500 },
    isRecipient: () => true,
    needsLastInbound: false,
    async send({ botId }, { recipients, message, key }): Promise<Outcome> {
      const visitorId = recipients[0]?.id ?? '';
      const messageId = toUlid(key);
      try {
        await posting.post({
          ...{
            botId,
            visitorId,
            messageId,
            from: 'bot',
            senderId: 'send',
            agentName: null,
            addressKey: null,
          },
          ...{ text: message.text ?? '', image: null, quickReplies: message.quickReplies },
        });
        return { kind: 'accepted', id: messageId };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // The call is repeatable, so an unknown outcome is as good as none.
        if (error.code === 'CHAT_UNAVAILABLE')
          return { kind: 'later', problem: error.message, afterMs: laterMs };
        return { kind: 'refused', code: error.code };
      }
    },
  };
}

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Message ids of live chat have the form of a ULID. */
function toUlid(key: string): string {
  const bytes = Buffer.from(key.replaceAll('-', ''), 'hex');
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let id = '';
  for (let index = 0; index < 26; index += 1) {
    id = `${digits[Number(value & 31n)]}${id}`;
    value >>= 5n;
  }
  return id;
}
