/** Programs that call LINE through Shoal: the made tokens of the bot's LINE channel. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { call } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { tell } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { ExpiryField, expiryOf, expiryText, MadeToken, TokenState } from './token-parts.tsx';

const scopes = ['insight', 'send', 'all'] as const;
type LineScope = (typeof scopes)[number];

type LineToken = {
  tokenId: string;
  scope: LineScope;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
};

/** Nothing for a bot without a LINE channel. */
export function LineTokens({ bot }: PageProps) {
  const { value } = useLive<{ channels: readonly { platform: string }[] }>(`/bots/${bot.botId}/channels`);
  return value?.channels.some(({ platform }) => platform === 'line') ? <LineTokensCard bot={bot} /> : null;
}

function LineTokensCard({ bot }: PageProps) {
  const path = `/bots/${bot.botId}/line/tokens`;
  const live = useLive<{ lineTokens: readonly LineToken[] }>(path);
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<LineToken | null>(null);
  const zone = bot.timeZone;
  return (
    <Card
      title={t('lineTokens')}
      note={t('lineTokensNote')}
      actions={
        <button type="button" class="button" onClick={() => setMaking(true)}>
          <Icon name="plus" />
          {t('newLineToken')}
        </button>
      }
    >
      <Loaded live={live}>
        {({ lineTokens }) => (
          <DataTable<LineToken>
            caption={t('lineTokens')}
            rows={lineTokens}
            keyOf={({ tokenId }) => tokenId}
            empty={<Empty title={t('noTokens')} />}
            columns={[
              { key: 'id', title: t('tokenId'), cell: ({ tokenId }) => tokenId },
              {
                key: 'scope',
                title: t('scope'),
                cell: ({ scope }) => <span class="tag">{t(scope)}</span>,
                sortBy: ({ scope }) => scopes.indexOf(scope),
              },
              {
                key: 'created',
                title: t('createdAt'),
                cell: ({ createdAt }) => dateTime(createdAt, zone),
                sortBy: ({ createdAt }) => createdAt,
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
                    name={token.tokenId}
                    zone={zone}
                    onRevoke={() => setRevoked(token)}
                  />
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {isMaking && (
        <NewLineTokenDialog path={path} made={() => live.reload()} onClose={() => setMaking(false)} />
      )}
      {revoked && (
        <Confirm
          title={t('revokeWhich', { name: revoked.tokenId })}
          text={t('revokeAsk')}
          deed={t('revoke')}
          act={async () => {
            await call(`${path}/${revoked.tokenId}`, { method: 'DELETE' });
            live.reload();
            tell(t('revokedDone', { name: revoked.tokenId }));
          }}
          onClose={() => setRevoked(null)}
        />
      )}
    </Card>
  );
}

function NewLineTokenDialog({ path, made, onClose }: { path: string; made(): void; onClose(): void }) {
  const [scope, setScope] = useState<LineScope>('insight');
  const [days, setDays] = useState('');
  const [token, setToken] = useState<string | null>(null);
  const making = useAction(async () => {
    const body = { scope, ...expiryOf(days) };
    const answer = await call<LineToken & { token: string }>(path, { method: 'POST', body });
    setToken(answer.token);
    made();
  });
  if (token !== null) return <MadeToken token={token} onClose={onClose} />;
  return (
    <Dialog title={t('newLineToken')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void making.run();
        }}
      >
        <SelectField
          label={t('scope')}
          hint={t(`${scope}Hint`)}
          value={scope}
          onValue={(name) => setScope(scopes.find((one) => one === name) ?? scope)}
        >
          {scopes.map((one) => (
            <option key={one} value={one}>
              {t(one)}
            </option>
          ))}
        </SelectField>
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
