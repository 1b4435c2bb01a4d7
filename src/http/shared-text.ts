/**
 * The JSON text of answers. Calls that share an answer object, because they share its read or its cache, also share its text: it is
 * serialized once.
 */
import type { FastifyReply } from 'fastify';

const texts = new WeakMap<object, string>();

/** The text of the answer by the serializer of the call's route, and the media type for it. An answer object belongs to one operation. */
export function sharedText(reply: FastifyReply, answer: object): string {
  reply.type('application/json; charset=utf-8');
  let text = texts.get(answer);
  if (text === undefined) {
    text = String(reply.serialize(answer));
    texts.set(answer, text);
  }
  return text;
}
