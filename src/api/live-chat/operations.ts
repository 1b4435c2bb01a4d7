/**
 * The operations of a visitor by their ids.
 */
import type { Keys } from '../../auth/keys.ts';
import { findBot } from '../../bots/bots.ts';
import type { Config } from '../../config.ts';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { provenIdentifier } from '../../live-chat/identity.ts';
import { toImage } from '../../live-chat/image-metadata.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import type { NewMessage } from '../../live-chat/message.ts';
import { markSeen, readImage, readMessages } from '../../live-chat/messages.ts';
import { addressKeyOf } from '../../live-chat/usage.ts';
import { makeVisitorToken } from '../../live-chat/visitor-token.ts';
import { beginSession } from '../../live-chat/visitors.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import { isoOf } from '../iso.ts';
import { type Body, type Call, ImageAnswer, type Operations } from './operation.ts';
import { openVisitorSocket } from './socket.ts';

export type Sources = {
  sql: Sql;
  keys: Keys;
  liveChat: LiveChat;
  clock: Clock;
  random: Random;
  /** The visitors that may send images. */
  images: Config['chatImages'];
};

type VisitorCall = Pick<Call<'sendMessage'>, 'channel' | 'visitorId' | 'network' | 'setRepeated'>;
type Content = Pick<NewMessage, 'messageId'> &
  ({ text: string; image: null } | { text: null; image: NonNullable<NewMessage['image']> });

export function visitorOperations(sources: Sources): Operations {
  const { sql, keys, liveChat } = sources;
  const { posting, signals } = liveChat;
  const post = async (call: VisitorCall, content: Content) => {
    const place = placeOf(call);
    const { message, repeated } = await posting.post({
      ...place,
      from: 'visitor',
      ...{ senderId: null, agentName: null, quickReplies: [] },
      addressKey: addressKeyOf(keys.current.visitorKey, place.botId, call.network),
      ...content,
    });
    call.setRepeated(repeated);
    return message;
  };
  return {
    beginSession: {
      isTokenOptional: true,
      answer: (call) => openSession(call, sources),
    },
    listMessages: async (call) => (await readMessages(sql, placeOf(call), call.query)) ?? unknownVisitor(),
    sendMessage: {
      isSend: true,
      answer(call) {
        const { messageId, text } = call.body;
        return post(call, { messageId, text: text.toWellFormed(), image: null });
      },
    },
    sendImage: {
      isSend: true,
      takesImage: true,
      async answer(call) {
        return post(call, { ...call.query, text: null, image: toImage(call.image) });
      },
    },
    async getImage(call) {
      const { messageId } = call.params;
      const image = await readImage(sql, { ...placeOf(call), messageId });
      if (image === null) throw new Refusal('IMAGE_NOT_FOUND', 'The chat has no image with that id.');
      return new ImageAnswer(image);
    },
    async seeMessages(call) {
      const place = placeOf(call);
      const sequence = await markSeen(sql, place, { by: 'visitor', sequence: call.body.sequence });
      if (sequence !== null) signals.send({ ...place, type: 'seen', by: 'visitor', sequence });
    },
    openVisitorSocket: {
      openSocket: (socket, channel) => openVisitorSocket(socket, channel, sources),
    },
  };
}

async function openSession(
  { channel, visitorId, body }: Call<'beginSession'>,
  { sql, keys, clock, random, images }: Sources,
) {
  const { botId } = channel;
  const now = clock();
  const identifier = provenIdentifier(channel, {
    identifier: body.identifier?.toWellFormed(),
    identifierHash: body.identifierHash,
  });
  const { answered, ...session } = await beginSession(
    sql,
    botId,
    { visitorId, identifier, ...detailsOf(body) },
    { now, random },
  );
  const token = makeVisitorToken(keys, { botId, visitorId: session.visitorId, now });
  const { name } = await findBot(sql, botId);
  return {
    visitorToken: token.visitorToken,
    expiresAt: isoOf(token.expiresAt),
    ...session,
    name,
    imagesAllowed: images === 'always' || answered || session.identified,
  };
}

/** PostgreSQL cannot store halves of surrogate pairs. */
function detailsOf({ name, language, page }: Body<'beginSession'>) {
  const textOf = (text: string | undefined) => text?.toWellFormed() ?? null;
  return {
    name: textOf(name),
    language: textOf(language),
    page: page ? { url: textOf(page.url), title: textOf(page.title), referrer: textOf(page.referrer) } : null,
  };
}

function placeOf({ channel: { botId }, visitorId }: Pick<VisitorCall, 'channel' | 'visitorId'>) {
  return { botId, visitorId: visitorId ?? unknownVisitor() };
}

function unknownVisitor(): never {
  throw new Refusal('TOKEN_INVALID', 'The visitor no longer exists.');
}
