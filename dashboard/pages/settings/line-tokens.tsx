/** Tokens of programs that call LINE through Shoal. */
import { useState } from 'preact/hooks';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/settings.ts';
import { createdColumn, NewTokenDialog, ScopeField, scopeColumn, TokenCard } from './tokens.tsx';

type LineScope = Schema['LineTokenScope'];
const scopes: readonly LineScope[] = ['insight', 'send', 'all'];

/** Shows nothing for a bot without a LINE channel. */
export function LineTokens({ bot }: PageProps) {
  const { value } = useLive(resource('/api/v1/bots/{botId}/channels', { path: { botId: bot.botId } }));
  return value?.channels.some(({ platform }) => platform === 'line') ? <LineTokensCard bot={bot} /> : null;
}

function LineTokensCard({ bot: { botId, timeZone } }: PageProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/line/tokens', { path: { botId } }));
  return (
    <TokenCard<Schema['LineToken']>
      title={t('lineTokens')}
      note={t('lineTokensNote')}
      newTitle={t('newLineToken')}
      live={{ ...live, value: live.value?.lineTokens ?? null }}
      columns={[
        { key: 'id', title: t('tokenId'), cell: ({ tokenId }) => tokenId },
        scopeColumn(scopes),
        createdColumn(timeZone),
      ]}
      zone={timeZone}
      nameOf={({ tokenId }) => tokenId}
      revoke={({ tokenId: lineTokenId }) =>
        api.DELETE('/api/v1/bots/{botId}/line/tokens/{lineTokenId}', {
          params: { path: { botId, lineTokenId } },
        })
      }
      dialog={(close) => <NewLineTokenDialog botId={botId} onCreated={live.reload} onClose={close} />}
    />
  );
}

type DialogProps = { botId: string; onCreated(): void; onClose(): void };

function NewLineTokenDialog({ botId, ...dialog }: DialogProps) {
  const [scope, setScope] = useState<LineScope>('insight');
  const create = async (expiry: { expiresAt?: string }): Promise<string> => {
    const created = await bodyOf(
      api.POST('/api/v1/bots/{botId}/line/tokens', {
        params: { path: { botId } },
        body: { scope, ...expiry },
      }),
    );
    return created.token;
  };
  return (
    <NewTokenDialog title={t('newLineToken')} create={create} {...dialog}>
      <ScopeField scopes={scopes} value={scope} onValue={setScope} />
    </NewTokenDialog>
  );
}
