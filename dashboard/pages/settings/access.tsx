/**
 * Programs that call Shoal: the bot's API pair for MantaGO's calls, tokens for LINE's calls, and admin tokens for the management
 * API. Secrets are shown once.
 */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { call } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { tell } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { type Scope, session } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { LineTokens } from './line-tokens.tsx';
import { ExpiryField, expiryOf, expiryText, MadeToken, TokenState } from './token-parts.tsx';

/** As createBot and renewApiPair answer. */
export type ApiPair = { botId: string; apiToken: string; apiSecret: string };

type AdminToken = {
  tokenId: string;
  name: string;
  scope: Scope;
  botIds: readonly string[] | null;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
};

const scopes: readonly Scope[] = ['read', 'write', 'admin'];

export function Access({ bot }: PageProps) {
  return (
    <>
      <PairCard bot={bot} />
      <LineTokens bot={bot} />
      <TokensCard bot={bot} />
    </>
  );
}

/** What a new pair consists of, to be copied now or never. */
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

function PairCard({ bot }: PageProps) {
  const [isAsked, setAsked] = useState(false);
  const [pair, setPair] = useState<ApiPair | null>(null);
  return (
    <Card
      title={t('apiPair')}
      note={t('apiPairNote')}
      actions={
        <button type="button" class="button" onClick={() => setAsked(true)}>
          {t('renewPair')}
        </button>
      }
    >
      {pair ? <PairFields pair={pair} /> : <p class="note">{t('pairHidden')}</p>}
      {isAsked && (
        <Confirm
          title={t('renewPair')}
          text={t('renewPairAsk')}
          deed={t('renew')}
          act={async () => setPair(await call<ApiPair>(`/bots/${bot.botId}/api-pair`, { method: 'POST' }))}
          onClose={() => setAsked(false)}
        />
      )}
    </Card>
  );
}

function TokensCard({ bot }: PageProps) {
  const live = useLive<{ adminTokens: readonly AdminToken[] }>('/admin-tokens');
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<AdminToken | null>(null);
  const zone = bot.timeZone;
  return (
    <Card
      title={t('adminTokens')}
      note={t('adminTokensNote')}
      actions={
        <button type="button" class="button" onClick={() => setMaking(true)}>
          <Icon name="plus" />
          {t('newToken')}
        </button>
      }
    >
      <Loaded live={live}>
        {({ adminTokens }) => (
          <DataTable<AdminToken>
            caption={t('adminTokens')}
            rows={adminTokens}
            keyOf={({ tokenId }) => tokenId}
            empty={<Empty title={t('noTokens')} />}
            columns={[
              {
                key: 'name',
                title: t('tokenName'),
                cell: ({ name, tokenId }) => name || tokenId,
                sortBy: ({ name }) => name,
              },
              {
                key: 'scope',
                title: t('scope'),
                cell: ({ scope }) => <span class="tag">{t(scope)}</span>,
                sortBy: ({ scope }) => scopes.indexOf(scope),
              },
              {
                key: 'bots',
                title: t('forBots'),
                cell: ({ botIds }) =>
                  botIds?.map((id) => (id === bot.botId ? bot.name : id)).join(', ') ?? t('allBots'),
              },
              {
                key: 'created',
                title: t('createdAt'),
                cell: ({ createdAt }) => dateTime(createdAt, zone),
                sortBy: ({ createdAt }) => createdAt,
              },
              {
                key: 'used',
                title: t('lastUsedAt'),
                cell: ({ lastUsedAt }) => (lastUsedAt === null ? t('never') : dateTime(lastUsedAt, zone)),
                sortBy: ({ lastUsedAt }) => lastUsedAt,
              },
              {
                key: 'expires',
                title: t('expires'),
                cell: (token) => expiryText(token, zone),
                sortBy: ({ expiresAt }) => expiresAt,
              },
              {
                key: 'revoke',
                title: t('state'),
                cell: (token) => (
                  <TokenState
                    token={token}
                    name={token.name || token.tokenId}
                    zone={zone}
                    onRevoke={() => setRevoked(token)}
                  />
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {isMaking && <NewTokenDialog bot={bot} made={() => live.reload()} onClose={() => setMaking(false)} />}
      {revoked && (
        <Confirm
          title={t('revokeWhich', { name: revoked.name || revoked.tokenId })}
          text={t('revokeAsk')}
          deed={t('revoke')}
          act={async () => {
            await call(`/admin-tokens/${revoked.tokenId}`, { method: 'DELETE' });
            live.reload();
            tell(t('revokedDone', { name: revoked.name || revoked.tokenId }));
          }}
          onClose={() => setRevoked(null)}
        />
      )}
    </Card>
  );
}

function NewTokenDialog({ bot, made, onClose }: PageProps & { made(): void; onClose(): void }) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('read');
  const state = session.value;
  const isForAll = state.kind === 'signed-in' && state.session.user.botId === null;
  const [isThisBot, setThisBot] = useState(true);
  const [days, setDays] = useState('');
  const [token, setToken] = useState<string | null>(null);
  const making = useAction(async () => {
    const body = {
      name: name.trim(),
      scope,
      ...(isThisBot ? { botIds: [bot.botId] } : {}),
      ...expiryOf(days),
    };
    const answer = await call<AdminToken & { token: string }>('/admin-tokens', { method: 'POST', body });
    setToken(answer.token);
    made();
  });
  if (token !== null) return <MadeToken token={token} onClose={onClose} />;
  return (
    <Dialog title={t('newToken')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void making.run();
        }}
      >
        <TextField
          label={t('tokenName')}
          hint={t('tokenNameHint')}
          value={name}
          onValue={setName}
          maxLength={200}
        />
        <ScopeField value={scope} onValue={setScope} />
        {isForAll && (
          <SelectField
            label={t('forBots')}
            value={isThisBot ? 'one' : 'all'}
            onValue={(value) => setThisBot(value === 'one')}
          >
            <option value="one">{bot.name}</option>
            <option value="all">{t('allBots')}</option>
          </SelectField>
        )}
        <ExpiryField value={days} onValue={setDays} />
        {making.error && <ErrorNote error={making.error} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            {frame('cancel')}
          </button>
          <button type="submit" class="button button-main" disabled={making.isBusy}>
            {t('make')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a token or a user may do. */
export function ScopeField({ value, onValue }: { value: Scope; onValue(scope: Scope): void }) {
  return (
    <SelectField
      label={t('scope')}
      hint={t(`${value}Hint`)}
      value={value}
      onValue={(name) => onValue(scopes.find((scope) => scope === name) ?? value)}
    >
      {scopes.map((scope) => (
        <option key={scope} value={scope}>
          {t(scope)}
        </option>
      ))}
    </SelectField>
  );
}
