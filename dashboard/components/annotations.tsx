/** The annotations of a range as a list, with a form to add notes. */
import { useState } from 'preact/hooks';
import { dayOf } from '../../src/time.ts';
import { useAction } from '../api/action.ts';
import { api, type Schema } from '../api/client.ts';
import type { Live } from '../api/live.ts';
import { day as dayTitle } from '../format/format.ts';
import type { Annotation } from '../state/annotations.ts';
import type { Bot } from '../state/bots.ts';
import { may } from '../state/session.ts';
import { t } from '../texts/annotations.ts';
import { t as frame } from '../texts/frame.ts';
import { Card } from './card.tsx';
import { Dialog } from './dialog.tsx';
import { TextField } from './field.tsx';
import { Icon } from './icon.tsx';
import { Empty, ErrorNote, Loaded } from './states.tsx';

export type AnnotationsProps = { bot: Bot; live: Live<Schema['Annotations']> };

export function Annotations({ bot, live }: AnnotationsProps) {
  const [isOpen, setOpen] = useState(false);
  const { run, error, isBusy } = useAction(async (annotationId: string) => {
    await api.DELETE('/api/v1/bots/{botId}/annotations/{annotationId}', {
      params: { path: { botId: bot.botId, annotationId } },
    });
    live.reload();
  });
  return (
    <Card
      title={t('annotations')}
      note={t('note')}
      actions={
        may('write') && (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            <Icon name="plus" />
            {t('add')}
          </button>
        )
      }
    >
      <Loaded live={live} shape="lines">
        {({ annotations }) =>
          annotations.length === 0 ? (
            <Empty title={t('none')} />
          ) : (
            <ul class="annotations">
              {annotations.map((annotation) => (
                <li key={`${annotation.day} ${annotation.annotationId}`}>
                  <span class="note nowrap">{dayTitle(annotation.day)}</span>
                  <span>{annotationTitle(annotation)}</span>
                  {annotation.annotationId !== null && may('write') && (
                    <button
                      type="button"
                      class="button button-quiet"
                      aria-label={t('remove', { text: annotationTitle(annotation) })}
                      disabled={isBusy}
                      onClick={() => void run(annotation.annotationId ?? '')}
                    >
                      <Icon name="close" />
                    </button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {error && <ErrorNote error={error} />}
      {isOpen && (
        <AddDialog
          bot={bot}
          onClose={() => setOpen(false)}
          onAdded={() => {
            setOpen(false);
            live.reload();
          }}
        />
      )}
    </Card>
  );
}

/** The text of a note, or the name of what appeared by itself. */
export function annotationTitle({ text, messages }: Annotation): string {
  if (text !== null) return text;
  return messages === null ? t('broadcast') : t('broadcastTo', { count: messages });
}

function AddDialog({ bot, onClose, onAdded }: { bot: Bot; onClose(): void; onAdded(): void }) {
  const [day, setDay] = useState(dayOf(Date.now(), bot.timeZone));
  const [text, setText] = useState('');
  const { run, error, isBusy } = useAction();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const params = { path: { botId: bot.botId } };
    const add = () =>
      api.POST('/api/v1/bots/{botId}/annotations', { params, body: { day, text: text.trim() } });
    if (await run(add)) onAdded();
  };
  return (
    <Dialog title={t('add')} onClose={onClose}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <TextField label={frame('day')} type="date" value={day} onValue={setDay} />
        <TextField label={t('text')} value={text} onValue={setText} />
        {error && <ErrorNote error={error} />}
        <button
          type="submit"
          class="button button-main"
          disabled={isBusy || text.trim() === '' || day === ''}
        >
          {frame('save')}
        </button>
      </form>
    </Dialog>
  );
}
