/** Creates or changes a report by e-mail. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, type Schema } from '../../api/client.ts';
import { CheckField, SelectField, TextAreaField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { ZoneField } from '../../components/zone-field.tsx';
import { language, languages } from '../../preferences/language.ts';
import { type PageProps, useBots } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/mail-reports.ts';

export type Report = Schema['MailReport'];
type Draft = Omit<Schema['NewMailReport'], 'recipients'> & { recipients: string };

type Props = PageProps & {
  /** Null: a new one. */
  report: Report | null;
  onClose(): void;
  onSaved(): void;
};

const frequencies = ['daily', 'weekly', 'monthly'] as const;

export function ReportEditor({ bot, report, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(report, bot));
  const [isTried, setTried] = useState(false);
  const { bots } = useBots();
  const action = useAction();
  const change = (changes: Partial<Draft>): void => setDraft({ ...draft, ...changes });
  const wrongAddress = addressesOf(draft).find((address) => !addressForm.test(address));
  const submit = async (): Promise<void> => {
    setTried(true);
    if (draft.name.trim() === '' || draft.botIds.length === 0 || wrongAddress !== undefined) return;
    const body = bodyOfDraft(draft);
    const isSaved = await action.run(() =>
      report === null
        ? api.POST('/api/v1/mail-reports', { body })
        : api.PUT('/api/v1/mail-reports/{reportId}', {
            params: { path: { reportId: report.reportId } },
            body,
          }),
    );
    if (!isSaved) return;
    showToast(t('saved', { name: body.name }));
    onSaved();
  };
  return (
    <FormDialog
      title={t(report === null ? 'newReport' : 'editReport')}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        value={draft.name}
        onValue={(name) => change({ name })}
        required
        maxLength={100}
        error={isTried && draft.name.trim() === '' ? frame('required') : null}
      />
      <fieldset class="form">
        <legend>{t('bots')}</legend>
        {(bots ?? [bot]).map(({ botId, name }) => (
          <CheckField
            key={botId}
            label={name}
            isOn={draft.botIds.includes(botId)}
            onChange={(isOn) =>
              change({
                botIds: isOn ? [...draft.botIds, botId] : draft.botIds.filter((id) => id !== botId),
              })
            }
          />
        ))}
        {isTried && draft.botIds.length === 0 && <p class="field-error">{t('botsNeeded')}</p>}
      </fieldset>
      <SelectField
        label={t('frequency')}
        value={draft.frequency}
        onValue={(frequency) => change({ frequency })}
        choices={frequencies.map((value) => ({ value, title: t(value) }))}
      />
      <TextField
        label={t('time')}
        type="time"
        value={draft.time}
        onValue={(time) => change({ time })}
        required
      />
      <ZoneField value={draft.timeZone} onValue={(timeZone) => change({ timeZone })} />
      <SelectField
        label={t('language')}
        value={draft.language}
        onValue={(chosen) => change({ language: chosen })}
        choices={(['zh-Hant', 'ja', 'en'] as const).map((value) => ({ value, title: languages[value] }))}
      />
      <TextAreaField
        label={t('recipients')}
        hint={t('recipientsHint')}
        value={draft.recipients}
        onValue={(recipients) => change({ recipients })}
        rows={4}
        error={isTried && wrongAddress !== undefined ? t('wrongAddress', { address: wrongAddress }) : null}
      />
    </FormDialog>
  );
}

function draftOf(report: Report | null, { botId, timeZone }: PageProps['bot']): Draft {
  const chosen = language.value;
  if (report === null) {
    return {
      ...{ name: '', botIds: [botId], frequency: 'weekly', language: chosen, timeZone, time: '09:00' },
      recipients: '',
    };
  }
  const recipients = report.recipients.map(({ address }) => address).join('\n');
  return { ...bodyOfReport(report), recipients };
}

/** The server checks the rest. */
const addressForm = /^[^\s@<>]+@[^\s@<>]+$/;

function addressesOf({ recipients }: Draft): string[] {
  const lines = recipients.split(/[\n,;]+/).map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ''))];
}

function bodyOfDraft(draft: Draft): Schema['NewMailReport'] {
  return { ...draft, recipients: addressesOf(draft) };
}

/** The report as the API takes it. */
export function bodyOfReport(report: Report): Schema['NewMailReport'] {
  const { name, botIds, frequency, language: chosen, timeZone, time, isPaused, recipients } = report;
  const addresses = recipients.map(({ address }) => address);
  return { name, botIds, frequency, language: chosen, timeZone, time, isPaused, recipients: addresses };
}
