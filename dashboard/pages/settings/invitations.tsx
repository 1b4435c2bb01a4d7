/** Links that invite people, each with its scope and bots. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import { type PageProps, useBots } from '../../state/bots.ts';
import { publicOrigin, type Scope } from '../../state/session.ts';
import { t as settings } from '../../texts/settings.ts';
import { t } from '../../texts/users.ts';
import { scopes } from './access.tsx';
import { BotsField, namesOf } from './bots-field.tsx';
import { ScopeField, scopeColumn } from './tokens.tsx';

type Invitation = Schema['Invitation'];

export function Invitations({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/invitations', {}));
  const bots = useBots().bots ?? [];
  const [isOpen, setOpen] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const removing = useAction(async (invitationId: string) => {
    await api.DELETE('/api/v1/invitations/{invitationId}', { params: { path: { invitationId } } });
    live.reload();
    showToast(t('withdrawn'));
  });
  const columns: Column<Invitation>[] = [
    scopeColumn(scopes),
    { key: 'bots', title: settings('forBots'), cell: ({ botIds }) => namesOf(botIds, bots) },
    { key: 'by', title: t('invitedBy'), cell: ({ createdBy }) => createdBy },
    { key: 'until', title: t('validUntil'), cell: ({ expiresAt }) => dateTime(expiresAt, bot.timeZone) },
    {
      key: 'withdraw',
      title: t('withdraw'),
      cell: ({ invitationId }) => (
        <button type="button" class="button button-danger" onClick={() => void removing.run(invitationId)}>
          {t('withdraw')}
        </button>
      ),
    },
  ];
  return (
    <Card
      title={t('invitations')}
      note={t('invitationsNote')}
      actions={
        <button type="button" class="button" onClick={() => setOpen(true)}>
          <Icon name="plus" />
          {t('invite')}
        </button>
      }
    >
      {link !== null && (
        <>
          <p class="notice">{t('linkOnce')}</p>
          <CopyField label={t('invitationLink')} value={link} />
        </>
      )}
      {removing.error && <ErrorNote error={removing.error} />}
      <Loaded live={live}>
        {({ invitations }) => (
          <DataTable<Invitation>
            caption={t('invitations')}
            rows={invitations}
            keyOf={({ invitationId }) => invitationId}
            empty={<Empty title={t('noInvitations')} />}
            columns={columns}
          />
        )}
      </Loaded>
      {isOpen && (
        <InvitationDialog
          bot={bot}
          done={(path) => {
            live.reload();
            setLink(publicOrigin() + path);
            setOpen(false);
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </Card>
  );
}

function InvitationDialog({ bot, done, onClose }: PageProps & { done(path: string): void; onClose(): void }) {
  const [scope, setScope] = useState<Scope>('read');
  const [botIds, setBotIds] = useState<readonly string[] | null>([bot.botId]);
  const creating = useAction(async () => {
    const body = { scope, botIds: botIds && [...botIds] };
    done((await bodyOf(api.POST('/api/v1/invitations', { body }))).path);
  });
  return (
    <FormDialog
      title={t('invite')}
      submit={t('createLink')}
      action={creating}
      onSubmit={() => {
        if (botIds?.length !== 0) void creating.run();
      }}
      onClose={onClose}
    >
      <ScopeField scopes={scopes} value={scope} onValue={setScope} />
      <BotsField value={botIds} onValue={setBotIds} />
    </FormDialog>
  );
}
