/**
 * Operations on live chats for the business's side. chat-socket.ts sends their news.
 */
import { Refusal } from '../../errors.ts';
import { Slots } from '../../http/slots.ts';
import { countUnread, findChat, listChats, refuseUnknown, setClosed } from '../../live-chat/chats.ts';
import { toImage } from '../../live-chat/image-metadata.ts';
import { imageBytesMax } from '../../live-chat/image-type.ts';
import type { NewMessage } from '../../live-chat/message.ts';
import { markSeen, readImage, readMessages } from '../../live-chat/messages.ts';
import type { ChatKey } from '../../live-chat/signals.ts';
import { isTime } from '../../time.ts';
import type { Call, Operations, Sources } from './operation.ts';
import { cursorPlace, readPage } from './paging.ts';

/** Images are smaller than other files, and a person waits for them. */
const imagesAtOnceMax = 16;
const imagesEachMax = 4;

type ChatCall = Pick<Call<'getChat'>, 'bot' | 'params'>;
type Content = Pick<NewMessage, 'messageId' | 'text' | 'image'> & Partial<NewMessage>;

export function chatOperations({ sql, clock, liveChat: { posting, signals } }: Sources) {
  const post = async (
    call: ChatCall & Pick<Call<'sendChatMessage'>, 'caller' | 'setReplayed'>,
    { agentName, ...content }: Content,
  ) => {
    const place = placeOf(call);
    const message: NewMessage = {
      ...place,
      from: 'agent',
      senderId: call.caller.id,
      agentName: agentName ?? personOf(call),
      addressKey: null,
      quickReplies: [],
      ...content,
    };
    const posted = await posting.post(message).catch((error: unknown) => {
      // The visitor comes from the path here, not from a token.
      throw error instanceof Refusal && error.code === 'TOKEN_INVALID' ? refuseUnknown(place) : error;
    });
    call.setReplayed(posted.repeated);
    return posted.message;
  };
  const close = (closed: boolean) => async (call: ChatCall) => {
    const place = placeOf(call);
    await setClosed(sql, place, closed);
    signals.send({ ...place, type: 'chat' });
    return findChat(sql, place, { now: clock() });
  };
  return {
    async listChats({ bot: { botId }, query }) {
      const { state, search = null } = query;
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
        listChats(sql, botId, { state, search, ...page, now: clock() }),
      );
      return { chats: rows.map(({ at: _, ...chat }) => chat), nextCursor };
    },
    getUnreadChats: ({ bot: { botId } }) => countUnread(sql, botId),
    getChat: (call) => findChat(sql, placeOf(call), { now: clock() }),
    async listChatMessages(call) {
      const place = placeOf(call);
      return (await readMessages(sql, place, call.query)) ?? refuseUnknown(place);
    },
    sendChatMessage(call) {
      const { messageId, text, quickReplies = [], from = 'agent', agentName } = call.body;
      return post(call, {
        ...{ messageId, from, text, image: null },
        quickReplies,
        ...(agentName === undefined ? {} : { agentName }),
      });
    },
    sendChatImage: {
      bodyBytesMax: imageBytesMax,
      uploads: new Slots({ max: imagesAtOnceMax, maxEach: imagesEachMax }),
      async answer(call) {
        const { messageId, agentName = null } = call.query;
        return post(call, { messageId, agentName, text: null, image: toImage(call.upload.bytes) });
      },
    },
    async getChatImage(call) {
      const { messageId } = call.params;
      const image = await readImage(sql, { ...placeOf(call), messageId });
      if (image === null) throw new Refusal('IMAGE_NOT_FOUND', 'The chat has no image with that id.');
      return { ...image, fileName: messageId };
    },
    async seeChat(call) {
      const place = placeOf(call);
      await findChat(sql, place, { now: clock() });
      const sequence = await markSeen(sql, place, { by: 'business', sequence: call.body.sequence });
      if (sequence !== null) signals.send({ ...place, type: 'seen', by: 'business', sequence });
    },
    closeChat: close(true),
    openChat: close(false),
  } satisfies Partial<Operations>;
}

/** The name that the visitor sees, unless the call has one. Null for a program. */
export function personOf({ caller: { kind, name } }: Pick<Call<'getChat'>, 'caller'>): string | null {
  return kind === 'user' ? name : null;
}

export function placeOf({ bot: { botId }, params: { visitorId } }: ChatCall): ChatKey {
  return { botId, visitorId };
}

export function isVisitorId(value: unknown): value is string {
  return typeof value === 'string' && /^v_[A-Za-z]{1,64}$/.test(value);
}

const toPlace = cursorPlace({ at: isTime, visitorId: isVisitorId });
