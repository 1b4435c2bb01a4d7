/**
 * Sends through Meta's Graph API: Messenger and Instagram (Send API reference, "Messenger Platform rate limits", "Common Error Codes",
 * read 2026-11), and WhatsApp (Cloud API reference, "Messages", "Error codes", "Throughput", read 2026-11).
 *
 * Meta has no retry key: a call whose answer was lost is not repeated.
 */
import type { Channel } from '../bots/channels.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type GraphHost, graphVersion, limitCodes } from '../meta/graph-client.ts';
import { hostOf } from '../meta/token-check.ts';
import { blockedCode } from '../platforms/messenger.ts';
import { type Clock, dayMs, secondMs } from '../time.ts';
import type { Message } from './message.ts';
import type { HostAnswer, PlatformHost } from './platform-host.ts';
import type { Outcome, SendCall, Sender } from './sender.ts';

const laterMs = 5 * secondMs;

/** Codes of a token or account without which no call succeeds. */
const haltCodes: ReadonlySet<number> = new Set([0, 3, 102, 190, 368, 130497, 131031, 131042, 131045, 133010]);
/** Of Pages that may not send for some time. */
const restrictedSubcode = 1893063;
/** Faults of Meta itself, with which a message may have arrived. */
const ownFaultCodes: ReadonlySet<number> = new Set([1, 2]);

/** The WhatsApp service window (Cloud API, "Customer service windows"). */
const windowMs = dayMs;
/** Our own code: the window is closed, and the message has no template. */
export const outsideWindow = 'outside-window';

/** Tokens of Instagram Login work on Instagram's host only. */
export type MetaHosts = Readonly<Record<GraphHost, Pick<PlatformHost, 'post'>>>;

export function messengerSender(hosts: MetaHosts): Sender {
  return {
    ...oneByOne(300),
    needsLastInbound: false,
    send: (channel, call) =>
      post(hosts, channel, {
        body: {
          recipient: { id: call.recipients[0]?.id },
          ...(call.message.tag === null
            ? { messaging_type: 'UPDATE' }
            : { messaging_type: 'MESSAGE_TAG', tag: call.message.tag }),
          message: toMessenger(call.message),
        },
        idOf: ({ message_id: id }) => id,
      }),
  };
}

export function instagramSender(hosts: MetaHosts): Sender {
  return {
    ...oneByOne(300),
    needsLastInbound: false,
    send: (channel, call) =>
      post(hosts, channel, {
        body: { recipient: { id: call.recipients[0]?.id }, message: toMessenger(call.message) },
        idOf: ({ message_id: id }) => id,
      }),
  };
}

export function whatsAppSender(hosts: MetaHosts, clock: Clock): Sender {
  return {
    ...oneByOne(80),
    needsLastInbound: true,
    async send(channel, call) {
      const content = whatsAppContent(call, clock());
      if (content === null) return { kind: 'refused', code: outsideWindow };
      const id = call.recipients[0]?.id ?? '';
      return post(hosts, channel, {
        body: {
          messaging_product: 'whatsapp',
          recipient_type: 'individual',
          // A business-scoped user id goes into a field of its own.
          ...(/^\d+$/.test(id) ? { to: id } : { recipient: id }),
          ...content,
        },
        idOf: ({ messages }) => (Array.isArray(messages) && isObject(messages[0]) ? messages[0].id : null),
      });
    },
  };
}

function oneByOne(callsPerSecond: number) {
  return {
    recipientsMax: 1,
    isRepeatable: false,
    callsPerSecond: { single: callsPerSecond, multiple: callsPerSecond },
    isRecipient: () => true,
  };
}

function toMessenger({ text, quickReplies }: Message) {
  const replies = quickReplies.map((title) => ({ content_type: 'text', title, payload: title }));
  return { text, ...(replies.length > 0 ? { quick_replies: replies } : {}) };
}

/** Text within the window, otherwise the template. Null: neither is possible. */
function whatsAppContent({ message, recipients }: SendCall, now: number): object | null {
  const { text, quickReplies, whatsAppTemplate } = message;
  const lastInboundAt = recipients[0]?.lastInboundAt ?? null;
  const isOpen = lastInboundAt !== null && now - lastInboundAt < windowMs;
  if (text !== null && isOpen) {
    if (quickReplies.length === 0) return { type: 'text', text: { body: text } };
    const buttons = quickReplies.map((title) => ({ type: 'reply', reply: { id: title, title } }));
    return { type: 'interactive', interactive: { type: 'button', body: { text }, action: { buttons } } };
  }
  if (whatsAppTemplate === null) return null;
  const { name, language, parameters } = whatsAppTemplate;
  const values = parameters.map((value) => ({ type: 'text', text: value }));
  const components = values.length > 0 ? [{ type: 'body', parameters: values }] : [];
  return { type: 'template', template: { name, language: { code: language }, components } };
}

type Call = { body: object; idOf(answer: JsonObject): unknown };

async function post(
  hosts: MetaHosts,
  { accessToken, accountId }: Channel,
  { body, idOf }: Call,
): Promise<Outcome> {
  if (accessToken === null) return { kind: 'halted', problem: 'The channel has no access token of Meta.' };
  const answer = await hosts[hostOf({ accessToken })].post(`/${graphVersion}/${accountId}/messages`, body, {
    authorization: `Bearer ${accessToken}`,
  });
  if ('problem' in answer) {
    return answer.isSent
      ? { kind: 'unknown', problem: answer.problem }
      : { kind: 'later', problem: answer.problem, afterMs: laterMs };
  }
  const id = idOf(answer.body);
  if (answer.status === 200 && typeof id === 'string') return { kind: 'accepted', id };
  return failureOf(answer);
}

/** An answer without an error of Meta's form, such as a proxy's, says nothing about the message. */
function failureOf({ status, body: { error } }: HostAnswer): Outcome {
  const problem = `Meta answered ${status}`;
  if (!isObject(error) || typeof error.code !== 'number') return { kind: 'unknown', problem: `${problem}.` };
  const { code, error_subcode: subcode } = error;
  const explained = `${problem} with the code ${code}.`;
  if (limitCodes.includes(code)) return { kind: 'later', problem: explained, afterMs: laterMs };
  if (haltCodes.has(code) || subcode === restrictedSubcode) return { kind: 'halted', problem: explained };
  if (ownFaultCodes.has(code)) return { kind: 'unknown', problem: explained };
  return {
    kind: 'refused',
    code: typeof subcode === 'number' ? `${code}-${subcode}` : String(code),
    isBlock: code === blockedCode,
  };
}
