/**
 * Sends on LINE: a push for one recipient, a multicast for several (LINE Messaging API reference, "Send push message", "Send multicast
 * message", "Rate limits"; "Retrying a failed API request", read 2026-11). The retry key makes a repeated call harmless for 24 hours.
 */
import type { Channel } from '../bots/channels.ts';
import type { LineAccess } from '../line/access.ts';
import { redact } from '../redact.ts';
import { secondMs } from '../time.ts';
import type { Message } from './message.ts';
import type { HostAnswer, PlatformHost } from './platform-host.ts';
import type { Outcome, SendCall, Sender } from './sender.ts';

const multicastMax = 500;
/** Of LINE's message that is kept. */
const messageLengthMax = 300;
const laterMs = 2 * secondMs;
const userForm = /^U[0-9a-f]{32}$/;

export function lineSender(host: PlatformHost, access: LineAccess): Sender {
  return {
    recipientsMax: multicastMax,
    isRepeatable: true,
    callsPerSecond: { single: 2_000, multiple: 200 },
    isRecipient: (id) => userForm.test(id),
    needsLastInbound: false,
    send: (channel, call) => send(host, access, channel, call),
  };
}

async function send(
  host: PlatformHost,
  access: LineAccess,
  channel: Channel,
  call: SendCall,
): Promise<Outcome> {
  const [first, ...others] = call.recipients.map(({ id }) => id);
  const isPush = others.length === 0;
  const path = `/v2/bot/message/${isPush ? 'push' : 'multicast'}`;
  const body = { to: isPush ? first : [first, ...others], messages: [toLine(call.message)] };
  const called = await access.callWith(channel, {
    call: async (token) => {
      const headers = { authorization: `Bearer ${token}`, 'x-line-retry-key': call.key };
      return { token, answer: await host.post(path, body, headers) };
    },
    isRefused: ({ answer }) => 'status' in answer && answer.status === 401,
  });
  if ('failure' in called) {
    const { failure, problem } = called;
    return failure === 'sealed' || failure === 'token-refused'
      ? { kind: 'halted', problem }
      : { kind: 'later', problem, afterMs: laterMs };
  }
  const { token, answer } = called;
  if ('problem' in answer) {
    return answer.isSent
      ? { kind: 'unknown', problem: answer.problem }
      : { kind: 'later', problem: answer.problem, afterMs: laterMs };
  }
  return outcomeOf(answer, token);
}

function toLine({ text, quickReplies }: Message) {
  const items = quickReplies.map((label) => ({
    type: 'action',
    action: { type: 'message', label, text: label },
  }));
  return { type: 'text', text, ...(items.length > 0 ? { quickReply: { items } } : {}) };
}

function outcomeOf({ status, headers, body }: HostAnswer, token: string): Outcome {
  const id = headers[status === 409 ? 'x-line-accepted-request-id' : 'x-line-request-id'];
  if (status === 200 || status === 409)
    return typeof id === 'string'
      ? { kind: 'accepted', id }
      : { kind: 'unknown', problem: "LINE's answer has no request id." };
  const message =
    typeof body.message === 'string' ? redact(body.message, token).slice(0, messageLengthMax) : null;
  const problem = `LINE answered ${status}${message === null ? '' : `: ${message}`}.`;
  if (status === 429 && !/monthly limit/i.test(String(body.message)))
    return { kind: 'later', problem, afterMs: laterMs };
  if (status === 401 || status === 403 || status === 429) return { kind: 'halted', problem };
  if (status >= 500) return { kind: 'unknown', problem };
  return { kind: 'refused', code: `http-${status}` };
}
