/**
 * Sends the answers of operations: JSON with an entity tag, files, and answers without a body.
 */
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { entityTagOf, namesTag } from '../../http/entity-tag.ts';
import { isObject } from '../../json.ts';
import { Accepted, type Download } from './operation.ts';

/** Of a page of a file: images within it, and nothing else. */
const pagePolicy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-popups allow-top-navigation-by-user-activation";

/** `status` is that of the success answer. `isTagged`: a client that has the same answer already gets 304. */
export function sendAnswer(
  value: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { status, isTagged }: { status: number; isTagged: boolean },
): unknown {
  if (value instanceof Accepted) return reply.code(202).header('location', value.location).send(value.body);
  if (value === undefined) return reply.code(204).send();
  reply.code(status);
  if (isDownload(value)) {
    const { hasTag, content } = value;
    const isKnown =
      hasTag && content instanceof Uint8Array && tagAnswer(hash('sha256', content), request, reply);
    return isKnown ? reply.code(304).send() : sendDownload(request, reply, value);
  }
  if (!isTagged) return value;
  return tagAnswer(value, request, reply) ? reply.code(304).send() : value;
}

/** Sets the entity tag of a value. Returns true if the client has this answer already. */
function tagAnswer(value: unknown, request: FastifyRequest, reply: FastifyReply): boolean {
  const tag = entityTagOf(value);
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
  const known = request.headers['if-none-match'];
  return known !== undefined && namesTag(known, tag, { weakToo: true });
}

function isDownload(value: unknown): value is Download {
  return isObject(value) && typeof value.fileName === 'string';
}

async function sendDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, fileName, content, isPage }: Download,
): Promise<FastifyReply> {
  const body =
    typeof content !== 'function' ? content : request.method === 'HEAD' ? undefined : await content();
  if (reply.sent) {
    // The call failed during a silence of the database.
    if (body instanceof Readable) body.destroy();
    return reply;
  }
  if (isPage) reply.header('content-security-policy', pagePolicy);
  // Only now: an error instead of the content is no attachment.
  return reply
    .header('content-disposition', `${isPage ? 'inline' : 'attachment'}; filename="${fileName}"`)
    .type(type)
    .send(body);
}
