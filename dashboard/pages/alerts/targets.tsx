/** The targets of alerts: add, test, remove. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { type Language, language, languages } from '../../preferences/language.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/alerts.ts';
import type { Target } from './alert.tsx';

const kinds = ['email', 'webhook', 'line'] as const;
const inputTypes = { email: 'text', webhook: 'url', line: 'text' } as const;

export function Targets({ botId, onTested }: { botId: string; onTested(): void }) {
  const live = useLive(resource('/api/v1/bots/{botId}/alert-targets', { path: { botId } }));
  const [isDialogOpen, setDialogOpen] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const action = useAction();
  const test = async (targetId: number): Promise<void> => {
    const params = { path: { botId, targetId } };
    const isDone = await action.run(() =>
      api.POST('/api/v1/bots/{botId}/alert-targets/{targetId}/test', { params }),
    );
    if (!isDone) return;
    showToast(t('tested'));
    onTested();
  };
  const remove = async (targetId: number): Promise<void> => {
    const params = { path: { botId, targetId } };
    await api.DELETE('/api/v1/bots/{botId}/alert-targets/{targetId}', { params });
    live.reload();
    onTested();
    showToast(t('removed'));
  };
  return (
    <Card
      title={t('targets')}
      note={t('targetsNote')}
      actions={
        may('admin') && (
          <button type="button" class="button" onClick={() => setDialogOpen(true)}>
            <Icon name="plus" />
            {t('addTarget')}
          </button>
        )
      }
    >
      {action.error && <ErrorNote error={action.error} />}
      <Loaded live={live}>
        {({ targets }) => (
          <DataTable<Target>
            caption={t('targets')}
            rows={targets}
            keyOf={({ targetId }) => String(targetId)}
            empty={<Empty title={t('noTargets')}>{t('noTargetsHint')}</Empty>}
            columns={[
              { key: 'kind', title: t('kind'), cell: ({ kind }) => t(`kind-${kind}`) },
              {
                key: 'address',
                title: t('address'),
                cell: ({ address }) => <span class="detail">{address}</span>,
              },
              { key: 'language', title: t('language'), cell: (target) => languages[target.language] },
              ...(may('admin')
                ? [
                    {
                      key: 'do',
                      title: t('actions'),
                      cell: ({ targetId, address }: Target) => (
                        <span class="row-actions">
                          <button
                            type="button"
                            class="button"
                            aria-label={t('testTarget', { address })}
                            disabled={action.isBusy}
                            onClick={() => void test(targetId)}
                          >
                            {t('test')}
                          </button>
                          <ConfirmButton
                            title={t('removeTarget', { address })}
                            text={t('removeAsk')}
                            actionTitle={t('remove')}
                            isDangerous
                            act={() => remove(targetId)}
                          >
                            {t('remove')}
                          </ConfirmButton>
                        </span>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
      {isDialogOpen && (
        <TargetDialog
          botId={botId}
          onAdded={(newSecret) => {
            setSecret(newSecret);
            live.reload();
          }}
          onClose={() => setDialogOpen(false)}
        />
      )}
      {secret !== null && (
        <Dialog title={t('secretTitle')} onClose={() => setSecret(null)}>
          <div class="form">
            <p class="notice">{t('secretNote')}</p>
            <CopyField label={t('secretTitle')} value={secret} />
            <div class="dialog-actions">
              <button type="button" class="button button-main" onClick={() => setSecret(null)}>
                {t('done')}
              </button>
            </div>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

type DialogProps = { botId: string; onAdded(secret: string | null): void; onClose(): void };

function TargetDialog({ botId, onAdded, onClose }: DialogProps) {
  const [kind, setKind] = useState<Target['kind']>('email');
  const [address, setAddress] = useState('');
  const [textLanguage, setTextLanguage] = useState<Language>(language.value);
  const [isTried, setTried] = useState(false);
  const adding = useAction(async () => {
    const { secret } = await bodyOf(
      api.POST('/api/v1/bots/{botId}/alert-targets', {
        params: { path: { botId } },
        body: { kind, address: address.trim(), language: textLanguage },
      }),
    );
    onClose();
    onAdded(secret);
    showToast(t('added'));
  });
  const submit = (): void => {
    setTried(true);
    if (address.trim() !== '') void adding.run();
  };
  return (
    <FormDialog title={t('addTarget')} submit={t('add')} action={adding} onSubmit={submit} onClose={onClose}>
      <SelectField
        label={t('kind')}
        value={kind}
        onValue={setKind}
        choices={kinds.map((value) => ({ value, title: t(`kind-${value}`) }))}
      />
      <TextField
        label={t('address')}
        hint={t(`address-${kind}-hint`)}
        type={inputTypes[kind]}
        value={address}
        onValue={setAddress}
        maxLength={2048}
        autoComplete="off"
        spellcheck={false}
        error={isTried && address.trim() === '' ? t('addressWrong') : null}
      />
      <SelectField
        label={t('language')}
        value={textLanguage}
        onValue={setTextLanguage}
        choices={(Object.keys(languages) as Language[]).map((code) => ({
          value: code,
          title: languages[code],
          lang: code,
        }))}
      />
    </FormDialog>
  );
}
