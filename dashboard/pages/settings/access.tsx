/**
 * Credentials of programs: the bot's API pair for the MantaGO OpenAPI, tokens for LINE's calls, and admin tokens for the management
 * API. Secrets are shown once.
 */
import { useState } from 'preact/hooks';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { isForAllBots, type Scope } from '../../state/session.ts';
import { t } from '../../texts/settings.ts';
import { LineTokens } from './line-tokens.tsx';
import { createdColumn, NewTokenDialog, ScopeField, scopeColumn, TokenCard } from './tokens.tsx';

export type ApiPair = Schema['ApiPair'];

/** The scopes of users and admin tokens. */
export const scopes: readonly Scope[] = ['read', 'write', 'admin'];

export function Access({ bot }: PageProps) {
  return (
    <>
      <PairCard bot={bot} />
      <LineTokens bot={bot} />
      <AdminTokens bot={bot} />
    </>
  );
}

/** The parts of a new pair; the page shows them once. */
export function PairFields({ pair }: { pair: ApiPair }) {
  return (
    <>
      <p class="notice">{t('shownOnce')}</p>
      <CopyField label={t('botId')} value={pair.botId} />
      <CopyField label="API token" value={pair.apiToken} hint={t('apiTokenHint')} />
      <CopyField label="API secret" value={pair.apiSecret} />
    </>
  );
}

function PairCard({ bot: { botId } }: PageProps) {
  const [pair, setPair] = useState<ApiPair | null>(null);
  return (
    <Card
      title={t('apiPair')}
      note={t('apiPairNote')}
      actions={
        <ConfirmButton
          title={t('renewPair')}
          text={t('renewPairAsk')}
          actionTitle={t('renew')}
          act={async () =>
            setPair(await bodyOf(api.POST('/api/v1/bots/{botId}/api-pair', { params: { path: { botId } } })))
          }
        />
      }
    >
      {pair ? <PairFields pair={pair} /> : <p class="note">{t('pairHidden')}</p>}
    </Card>
  );
}

function AdminTokens({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/admin-tokens', {}));
  const zone = bot.timeZone;
  return (
    <TokenCard<Schema['AdminToken']>
      title={t('adminTokens')}
      note={t('adminTokensNote')}
      newTitle={t('newToken')}
      live={{ ...live, value: live.value?.adminTokens ?? null }}
      columns={[
        {
          key: 'name',
          title: t('tokenName'),
          cell: ({ name, tokenId }) => name || tokenId,
          sortBy: ({ name }) => name,
        },
        scopeColumn(scopes),
        {
          key: 'bots',
          title: t('forBots'),
          cell: ({ botIds }) =>
            botIds?.map((id) => (id === bot.botId ? bot.name : id)).join(', ') ?? t('allBots'),
        },
        createdColumn(zone),
        {
          key: 'used',
          title: t('lastUsedAt'),
          cell: ({ lastUsedAt }) => (lastUsedAt === null ? t('never') : dateTime(lastUsedAt, zone)),
          sortBy: ({ lastUsedAt }) => lastUsedAt,
        },
      ]}
      zone={zone}
      nameOf={({ name, tokenId }) => name || tokenId}
      revoke={({ tokenId }) =>
        api.DELETE('/api/v1/admin-tokens/{tokenId}', { params: { path: { tokenId } } })
      }
      dialog={(close) => <NewAdminTokenDialog bot={bot} onCreated={live.reload} onClose={close} />}
    />
  );
}

type DialogProps = PageProps & { onCreated(): void; onClose(): void };

function NewAdminTokenDialog({ bot, ...dialog }: DialogProps) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('read');
  const [isThisBot, setThisBot] = useState(true);
  const create = async (expiry: { expiresAt?: string }): Promise<string> => {
    const body = { name: name.trim(), scope, ...(isThisBot ? { botIds: [bot.botId] } : {}), ...expiry };
    return (await bodyOf(api.POST('/api/v1/admin-tokens', { body }))).token;
  };
  return (
    <NewTokenDialog title={t('newToken')} create={create} {...dialog}>
      <TextField
        label={t('tokenName')}
        hint={t('tokenNameHint')}
        value={name}
        onValue={setName}
        maxLength={200}
      />
      <ScopeField scopes={scopes} value={scope} onValue={setScope} />
      {isForAllBots() && (
        <SelectField
          label={t('forBots')}
          value={isThisBot ? 'one' : 'all'}
          onValue={(value) => setThisBot(value === 'one')}
          choices={[
            { value: 'one', title: bot.name },
            { value: 'all', title: t('allBots') },
          ]}
        />
      )}
    </NewTokenDialog>
  );
}
