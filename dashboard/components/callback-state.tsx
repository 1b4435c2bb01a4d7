/** The address of outgoing webhooks and its state. */
import type { Schema } from '../api/client.ts';
import { dateTime, number } from '../format/format.ts';
import { t } from '../texts/callback.ts';
import { Facts } from './facts.tsx';

export type CallbackStateProps = { callback: Schema['Callback']; zone: string };

export function CallbackState({ callback, zone }: CallbackStateProps) {
  const { disabledAt, failingSince, previousSecretUntil } = callback;
  return (
    <Facts
      facts={[
        [t('address'), <code key="url">{callback.url}</code>],
        [
          t('state'),
          disabledAt ? (
            <span class="tag tag-bad">{t('disabled', { at: dateTime(disabledAt, zone) })}</span>
          ) : failingSince ? (
            <span class="tag tag-warn">{t('failing', { at: dateTime(failingSince, zone) })}</span>
          ) : (
            <span class="tag tag-good">{t('working')}</span>
          ),
        ],
        [t('waiting'), number(callback.waiting)],
        ...(previousSecretUntil
          ? [[t('previousSecret'), t('until', { at: dateTime(previousSecretUntil, zone) })] as const]
          : []),
      ]}
    />
  );
}
