/** The notes on a chat. Visitors never see them. */
import { useRef, useState } from 'preact/hooks';
import { ulid } from 'ulid';
import { useAction } from '../../api/action.ts';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Icon } from '../../components/icon.tsx';
import { ErrorNote } from '../../components/states.tsx';
import { dateTime, number } from '../../format/format.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/live-chat.ts';

type Props = { botId: string; visitorId: string; zone: string };

export function Notes({ botId, visitorId, zone }: Props) {
  const path = { botId, visitorId };
  const live = useLive(resource('/api/v1/bots/{botId}/chats/{visitorId}/notes', { path }));
  const [text, setText] = useState('');
  // The id of the note being written stays the same, so that a repetition does not store it twice.
  const noteId = useRef(ulid());
  const changing = useAction();
  const notes = live.isBefore ? [] : (live.value?.notes ?? []);
  const add = async (): Promise<void> => {
    if (text.trim() === '') return;
    const body = { noteId: noteId.current, text: text.trim() };
    const isAdded = await changing.run(() =>
      api.POST('/api/v1/bots/{botId}/chats/{visitorId}/notes', { params: { path }, body }),
    );
    if (!isAdded) return;
    noteId.current = ulid();
    setText('');
    live.reload();
  };
  const remove = async (note: string): Promise<void> => {
    const params = { path: { ...path, noteId: note } };
    await changing.run(() => api.DELETE('/api/v1/bots/{botId}/chats/{visitorId}/notes/{noteId}', { params }));
    live.reload();
  };
  return (
    <details class="chat-notes">
      <summary>
        {t('notes')} ({number(notes.length)})
      </summary>
      <p class="note">{t('notesHint')}</p>
      {changing.error && <ErrorNote error={changing.error} />}
      <ul>
        {notes.map((note) => (
          <li key={note.noteId}>
            <span class="note">
              {note.author} · {dateTime(note.createdAt, zone)}
            </span>
            {may('write') && (
              <button
                type="button"
                class="button button-quiet"
                aria-label={t('removeNote')}
                disabled={changing.isBusy}
                onClick={() => void remove(note.noteId)}
              >
                <Icon name="close" />
              </button>
            )}
            <p dir="auto">{note.text}</p>
          </li>
        ))}
      </ul>
      {may('write') && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <input
            class="input"
            dir="auto"
            aria-label={t('note')}
            maxLength={2_000}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <button type="submit" class="button" disabled={text.trim() === '' || changing.isBusy}>
            {t('addNote')}
          </button>
        </form>
      )}
    </details>
  );
}
