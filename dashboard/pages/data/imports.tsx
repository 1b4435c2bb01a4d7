/** Imports of files of every kind. */
import { useState } from 'preact/hooks';
import { Card } from '../../components/card.tsx';
import { ImportDialog } from '../../components/import-dialog.tsx';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/data.ts';
import { t as imports } from '../../texts/import.ts';

/** The columns of each kind; those in brackets are optional. */
const kinds = [
  {
    what: 'contacts',
    columns:
      'platform, platform_contact_id (customer_id, name, remark, user_name, user_email, user_phone, user_birthday, user_address, tags, personal_tags, automatic_tags)',
  },
  { what: 'points', columns: 'platform, contact, amount (expires_at, key)' },
  { what: 'catalogue', columns: 'name, kind, resource (stock, expires_at, is_default)' },
  { what: 'gifts', columns: 'platform, contact, gift (key)' },
  { what: 'redemptions', columns: 'platform, contact, gift (grant_id, key)' },
] as const;

export function Imports({ bot, onImported }: PageProps & { onImported(): void }) {
  const [open, setOpen] = useState<(typeof kinds)[number] | null>(null);
  return (
    <Card title={t('imports')} note={t('importsNote')}>
      <ul class="import-kinds">
        {kinds.map((kind) => (
          <li key={kind.what}>
            <span>
              <strong>{t(`import-${kind.what}`)}</strong>
              <span class="note">{t(`about-${kind.what}`)}</span>
            </span>
            <button
              type="button"
              class="button"
              aria-label={t('importOf', { what: t(`import-${kind.what}`) })}
              onClick={() => setOpen(kind)}
            >
              {imports('import')}
            </button>
          </li>
        ))}
      </ul>
      {open && (
        <ImportDialog
          botId={bot.botId}
          {...open}
          title={t('importOf', { what: t(`import-${open.what}`) })}
          onImported={onImported}
          onClose={() => setOpen(null)}
        />
      )}
    </Card>
  );
}
