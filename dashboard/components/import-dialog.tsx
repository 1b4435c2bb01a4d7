/** Imports a file: it is checked first, which changes nothing and shows the counts or the bad lines. */
import { useState } from 'preact/hooks';
import { useAction } from '../api/action.ts';
import { api, bodyOf, type Schema } from '../api/client.ts';
import { t } from '../texts/import.ts';
import { CheckField, FileField } from './field.tsx';
import { FilePreview } from './file-preview.tsx';
import { FormDialog } from './form-dialog.tsx';
import { showToast } from './toast.tsx';

export type ImportDialogProps = {
  botId: string;
  what: 'contacts' | 'points' | 'catalogue' | 'gifts' | 'redemptions';
  title: string;
  /** The names of the columns; those in brackets are optional. */
  columns: string;
  onImported(): void;
  onClose(): void;
};

type Imported = Schema['Imported'];

const counted = ['added', 'updated', 'tagged', 'written', 'repeated'] as const;

export function ImportDialog({ botId, what, title, columns, onImported, onClose }: ImportDialogProps) {
  const [file, setFile] = useState<File | null>(null);
  const [createsContacts, setCreatesContacts] = useState(false);
  const [preview, setPreview] = useState<Imported | null>(null);
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const restart = (change: () => void): void => {
    change();
    setPreview(null);
    action.clear();
  };
  const submit = async (): Promise<void> => {
    setTried(true);
    if (file === null) return;
    await action.run(async () => {
      const imported = await send({ botId, what, file, createsContacts }, { isPreview: preview === null });
      if (preview === null) return setPreview(imported);
      showToast(t('done', { counts: countsOf(imported) }));
      onImported();
      onClose();
    });
  };
  return (
    <FormDialog
      title={title}
      submit={t(preview === null ? 'check' : 'start')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <FileField
        label={t('file')}
        hint={t('fileHint', { columns })}
        accept=".csv,.ndjson,.jsonl,text/csv"
        error={isTried && file === null ? t('noFile') : null}
        onFile={(chosen) => restart(() => setFile(chosen))}
      />
      {file && <FilePreview file={file} columns={columns} />}
      {(what === 'gifts' || what === 'points') && (
        <CheckField
          label={t('createContacts')}
          isOn={createsContacts}
          onChange={(isOn) => restart(() => setCreatesContacts(isOn))}
        />
      )}
      {preview !== null && (
        <p role="status">
          {t('lines', { count: preview.lines })} {countsOf(preview)}
        </p>
      )}
    </FormDialog>
  );
}

type Upload = Pick<ImportDialogProps, 'botId' | 'what'> & { file: File; createsContacts: boolean };

async function send(
  { botId, what, file, createsContacts }: Upload,
  { isPreview }: { isPreview: boolean },
): Promise<Imported> {
  const isNdjson = /\.(ndjson|jsonl)$/i.test(file.name);
  const query = { preview: isPreview, ...(createsContacts ? { createContacts: true } : {}) };
  return bodyOf(
    api.POST('/api/v1/bots/{botId}/imports/{what}', {
      params: { path: { botId, what }, query },
      headers: { 'content-type': isNdjson ? 'application/x-ndjson' : 'text/csv' },
      // The bytes as they are: the server recognizes the file by their hash, and refuses those that are not UTF-8. The generated
      // types describe the body as a string.
      body: file as unknown as string,
      bodySerializer: (body) => body,
    }),
  );
}

function countsOf(imported: Imported): string {
  const parts = counted.flatMap((name) => {
    const count = imported[name] ?? 0;
    return count > 0 ? [t(name, { count })] : [];
  });
  return parts.length === 0 ? t('nothing') : parts.join(' · ');
}
