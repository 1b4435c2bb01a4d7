/** Operations of a team on live chats: notes and assignment. Visitors see neither. */
import { assignChat, listAssignees } from '../../live-chat/assignment.ts';
import { findChat } from '../../live-chat/chats.ts';
import { addNote, listNotes, removeNote } from '../../live-chat/notes.ts';
import type { ChatKey } from '../../live-chat/signals.ts';
import { placeOf } from './chats.ts';
import type { Operations, Sources } from './operation.ts';

export function chatTeamOperations({ sql, clock, liveChat: { signals } }: Sources) {
  const changed = (place: ChatKey) => signals.send({ ...place, type: 'chat' });
  return {
    async listChatNotes(call) {
      return { notes: await listNotes(sql, placeOf(call)) };
    },
    async addChatNote(call) {
      const place = placeOf(call);
      const note = await addNote(
        sql,
        place,
        { ...call.body, author: call.caller.name || call.caller.id },
        { now: clock() },
      );
      changed(place);
      return note;
    },
    async removeChatNote(call) {
      const place = placeOf(call);
      await removeNote(sql, place, call.params.noteId);
      changed(place);
    },
    async listChatAssignees({ bot: { botId } }) {
      return { users: await listAssignees(sql, botId) };
    },
    async assignChat(call) {
      const place = placeOf(call);
      await assignChat(sql, place, call.body.userId);
      changed(place);
      return findChat(sql, place, { now: clock() });
    },
  } satisfies Partial<Operations>;
}
