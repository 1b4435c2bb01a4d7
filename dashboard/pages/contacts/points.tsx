/** A contact's points: entries, points that expire soon, and manual changes. */
import { useState } from 'preact/hooks';
import { addDays, dayStart } from '../../../src/time.ts';
import { useAction, useKey } from '../../api/action.ts';
import { type ApiError, api, resource } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Empty } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, number, signed, unknown } from '../../format/format.ts';
import { isDay } from '../../format/range.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contact.ts';
import { t as list } from '../../texts/contacts.ts';
import type { ContactCardProps } from './contact.ts';

type Change = 'earn' | 'spend';

const amountMax = 1_000_000_000;

export function PointsCard(props: ContactCardProps) {
  const { bot, path, onChanged } = props;
  const [open, setOpen] = useState<Change | null>(null);
  const zone = bot.timeZone;
  const expiring = useLive(resource('/api/v1/bots/{botId}/contacts/{contactId}/points/expiring', { path }));
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/contacts/{contactId}/points/entries', { path, query: { cursor } }),
    ({ entries }) => entries,
  );
  const changed = (): void => {
    onChanged();
    expiring.reload();
    pages.reload();
    setOpen(null);
  };
  return (
    <Card
      title={list('points')}
      note={t('available', { points: number(props.contact.points) })}
      actions={
        may('write') && (
          <>
            <button type="button" class="button" onClick={() => setOpen('earn')}>
              {t('addPoints')}
            </button>
            <button type="button" class="button" onClick={() => setOpen('spend')}>
              {t('spendPoints')}
            </button>
          </>
        )
      }
    >
      {expiring.value && expiring.value.expiring.length > 0 && (
        <ul class="expiring" aria-label={t('expiringSoon')}>
          {expiring.value.expiring.map(({ amount, expiresAt }) => (
            <li key={expiresAt} class="tag tag-warn">
              {t('expiresAt', { points: number(amount), at: dateTime(expiresAt, zone) })}
            </li>
          ))}
        </ul>
      )}
      <DataTable
        caption={list('points')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ entryId }) => entryId}
        empty={<Empty title={t('noPoints')} />}
        columns={[
          { key: 'at', title: t('at'), cell: ({ createdAt }) => dateTime(createdAt, zone) },
          { key: 'kind', title: t('what'), cell: ({ kind }) => t(`points-${kind}`) },
          { key: 'amount', title: t('change'), isNumber: true, cell: ({ amount }) => signed(amount) },
          {
            key: 'balance',
            title: t('balance'),
            isNumber: true,
            cell: ({ balanceAfter }) => number(balanceAfter),
          },
          { key: 'expires', title: t('usableUntil'), cell: ({ expiresAt }) => dateTime(expiresAt, zone) },
          {
            key: 'reason',
            title: t('reason'),
            cell: ({ reason, key }) => reason ?? (key === null ? unknown : <code>{key}</code>),
          },
        ]}
      />
      {open && <ChangeDialog {...props} kind={open} onClose={() => setOpen(null)} onChanged={changed} />}
    </Card>
  );
}

function ChangeDialog({ bot, path, contact, kind, onChanged, onClose }: ContactCardProps & DialogProps) {
  const [amount, setAmount] = useState('');
  const [lastDay, setLastDay] = useState('');
  const [isTried, setTried] = useState(false);
  const key = useKey();
  const action = useAction();
  const points = Number(amount);
  const isAmount = /^[0-9]{1,10}$/.test(amount.trim()) && points >= 1 && points <= amountMax;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isAmount) return;
    // Points expire at the end of the last day.
    const end = isDay(lastDay) ? dayStart(addDays(lastDay, 1), bot.timeZone) : null;
    const params = { path, header: { 'Idempotency-Key': key } };
    const isDone = await action.run(() =>
      kind === 'earn'
        ? api.POST('/api/v1/bots/{botId}/contacts/{contactId}/points/earn', {
            params,
            body: { amount: points, ...(end === null ? {} : { expiresAt: new Date(end).toISOString() }) },
          })
        : api.POST('/api/v1/bots/{botId}/contacts/{contactId}/points/spend', {
            params,
            body: { amount: points },
          }),
    );
    if (!isDone) return;
    showToast(t(kind === 'earn' ? 'pointsAdded' : 'pointsSpent', { points: number(points) }));
    onChanged();
  };
  return (
    <FormDialog
      title={t(kind === 'earn' ? 'addPoints' : 'spendPoints')}
      submit={t(kind === 'earn' ? 'add' : 'spend')}
      action={fieldErrorOf(action.error) ? { ...action, error: null } : action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        type="number"
        label={t('amount')}
        hint={t('available', { points: number(contact.points) })}
        value={amount}
        onValue={setAmount}
        min={1}
        max={amountMax}
        error={fieldErrorOf(action.error) ?? (isTried && !isAmount ? t('amountWrong') : null)}
      />
      {kind === 'earn' && (
        <TextField
          type="date"
          label={t('lastDay')}
          hint={t('lastDayHint')}
          value={lastDay}
          onValue={setLastDay}
        />
      )}
    </FormDialog>
  );
}

type DialogProps = { kind: Change; onClose(): void };

/** The error to show at the amount instead of below the form. */
function fieldErrorOf(error: ApiError | null): string | null {
  return error?.code === 'POINTS_INSUFFICIENT' ? t('tooFewPoints') : null;
}
