/**
 * The bytes of answers. Calls that share an answer object, because they share its read or its cache, also share its bytes: it is
 * serialized once.
 */
import type { FastifyReply } from 'fastify';

type Bytes = {
  /** A character for each byte. Node writes such a text with the headers, and does not encode it again for each call. */
  latin1: string;
  length: string;
};

const bytesOf = new WeakMap<object, Bytes>();

/** Sends the answer by the serializer of the call's route, with the headers that the reply has. An answer object belongs to one operation. */
export function sendShared(reply: FastifyReply, answer: object): undefined {
  let bytes = bytesOf.get(answer);
  if (bytes === undefined) {
    bytes = toBytes(String(reply.serialize(answer)));
    bytesOf.set(answer, bytes);
  }
  // Fastify would measure and encode the text for each call.
  reply.hijack();
  const headers = reply.getHeaders();
  headers['content-type'] = 'application/json; charset=utf-8';
  headers['content-length'] = bytes.length;
  reply.raw.writeHead(reply.statusCode, headers as Record<string, string>).end(bytes.latin1, 'latin1');
}

function toBytes(text: string): Bytes {
  const bytes = Buffer.from(text);
  return { latin1: bytes.toString('latin1'), length: String(bytes.length) };
}
