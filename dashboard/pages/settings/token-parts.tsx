/** What the cards of tokens have in common: when a token expires, its state, and the dialog that shows it once. */
import { CopyField } from '../../components/copy-field.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField } from '../../components/field.tsx';
import { dateTime } from '../../format/format.ts';
import { t } from '../../texts/settings.ts';

const dayMs = 86_400_000;
const endsAfterDays = [7, 30, 90, 365];

type Ends = { expiresAt: string | null; revokedAt: string | null };

/** After how many days a new token expires; '': never. */
export function ExpiryField({ value, onValue }: { value: string; onValue(value: string): void }) {
  return (
    <SelectField label={t('expires')} value={value} onValue={onValue}>
      <option value="">{t('noEnd')}</option>
      {endsAfterDays.map((count) => (
        <option key={count} value={count}>
          {t('afterDays', { count })}
        </option>
      ))}
    </SelectField>
  );
}

/** The field of the body for a value of ExpiryField. */
export function expiryOf(days: string): { expiresAt?: string } {
  return days === '' ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() };
}

export function expiryText({ expiresAt }: Ends, zone: string): string {
  return expiresAt === null ? t('noEnd') : dateTime(expiresAt, zone);
}

/** When the token ended, or the button that ends it. */
export function TokenState({
  token: { expiresAt, revokedAt },
  name,
  zone,
  onRevoke,
}: {
  token: Ends;
  name: string;
  zone: string;
  onRevoke(): void;
}) {
  if (revokedAt !== null)
    return <span class="note">{t('revokedAt', { at: dateTime(revokedAt, zone) })}</span>;
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
    return <span class="note">{t('expired')}</span>;
  }
  return (
    <button
      type="button"
      class="button button-danger"
      aria-label={t('revokeWhich', { name })}
      onClick={onRevoke}
    >
      {t('revoke')}
    </button>
  );
}

/** Shows a new token, the only time. */
export function MadeToken({ token, onClose }: { token: string; onClose(): void }) {
  return (
    <Dialog title={t('tokenMade')} onClose={onClose}>
      <div class="form">
        <p class="notice">{t('shownOnce')}</p>
        <CopyField label={t('token')} value={token} />
        <div class="dialog-actions">
          <button type="button" class="button button-main" onClick={onClose}>
            {t('done')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
