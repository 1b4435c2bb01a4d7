/** Downloads an export of the server as CSV. */
import { urlOf } from '../api/client.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

export type ExportLinkProps = {
  /** The card's title. */
  title: string;
  botId: string;
  what: 'platform-figures' | 'template-figures';
  range?: { from: string; to: string };
};

export function ExportLink({ title, botId, what, range = undefined }: ExportLinkProps) {
  const query = { format: 'csv' as const, bom: true, ...range };
  return (
    <a
      class="button"
      aria-label={t('downloadCsv', { title })}
      href={urlOf('/api/v1/bots/{botId}/exports/{what}', { path: { botId, what }, query })}
      download={`${what}.csv`}
    >
      <Icon name="download" />
      {t('csv')}
    </a>
  );
}
