/** Creates or changes a gift of the catalogue. */
import { useState } from 'preact/hooks';
import { addDays, dayOf, dayStart } from '../../../src/time.ts';
import { useAction } from '../../api/action.ts';
import { api, type Schema } from '../../api/client.ts';
import { CheckField, SelectField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { isDay } from '../../format/range.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/rewards.ts';

type Gift = Schema['Gift'];
type Props = PageProps & {
  /** Null: a new one. */
  gift: Gift | null;
  onClose(): void;
  onSaved(): void;
};

const kinds = ['ticket', 'physical', 'virtual'] as const;
const stockMax = 1_000_000_000;

export function GiftDialog({ bot, gift, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(gift, bot.timeZone));
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const path = { botId: bot.botId };
  const change = (changes: Partial<Draft>): void => setDraft({ ...draft, ...changes });
  const isStock =
    draft.stock === '' || (/^[0-9]{1,10}$/.test(draft.stock) && Number(draft.stock) <= stockMax);
  const isComplete = draft.name.trim() !== '' && draft.resource.trim() !== '' && isStock;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isComplete) return;
    const changes = changesOf(draft, gift, bot.timeZone);
    const isSaved = await action.run(() =>
      gift === null
        ? api.POST('/api/v1/bots/{botId}/gifts', {
            params: { path },
            body: { ...changes, kind: draft.kind },
          })
        : api.PATCH('/api/v1/bots/{botId}/gifts/{giftId}', {
            params: { path: { ...path, giftId: gift.giftId } },
            body: changes,
          }),
    );
    if (!isSaved) return;
    showToast(t('saved', { name: changes.name }));
    onSaved();
  };
  const required = (text: string): string | null =>
    isTried && text.trim() === '' ? frame('required') : null;
  return (
    <FormDialog
      title={t(gift === null ? 'newGift' : 'editGift')}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        value={draft.name}
        onValue={(name) => change({ name })}
        required
        maxLength={200}
        error={required(draft.name)}
      />
      {gift === null && (
        <SelectField
          label={t('kind')}
          value={draft.kind}
          onValue={(kind) => change({ kind })}
          choices={kinds.map((value) => ({ value, title: t(value) }))}
        />
      )}
      <TextField
        label={t('resource')}
        hint={t('resourceHint')}
        value={draft.resource}
        onValue={(resource) => change({ resource })}
        required
        maxLength={200}
        error={required(draft.resource)}
      />
      <TextField
        type="number"
        label={t('stock')}
        hint={t('stockHint')}
        min={gift?.granted ?? 0}
        max={stockMax}
        value={draft.stock}
        onValue={(stock) => change({ stock: stock.trim() })}
        error={isTried && !isStock ? t('stockWrong') : null}
      />
      <TextField
        type="date"
        label={t('lastDay')}
        hint={t('lastDayHint')}
        value={draft.lastDay}
        onValue={(lastDay) => change({ lastDay })}
      />
      <CheckField
        label={t('isDefault')}
        hint={t('isDefaultHint')}
        isOn={draft.isDefault}
        onChange={(isDefault) => change({ isDefault })}
      />
    </FormDialog>
  );
}

type Draft = {
  name: string;
  kind: Gift['kind'];
  resource: string;
  stock: string;
  /** The last day on which it is valid, in the bot's zone. */
  lastDay: string;
  isDefault: boolean;
};

function draftOf(gift: Gift | null, zone: string): Draft {
  if (gift === null)
    return { name: '', kind: 'ticket', resource: 'shoal', stock: '', lastDay: '', isDefault: false };
  const { name, kind, resource, stock, expiresAt, isDefault } = gift;
  return {
    name,
    kind,
    resource,
    stock: stock === null ? '' : String(stock),
    lastDay: lastDayOf(expiresAt, zone),
    isDefault,
  };
}

function changesOf({ name, resource, stock, lastDay, isDefault }: Draft, gift: Gift | null, zone: string) {
  // An expiry within a day stays, unless the day changes.
  const isSameDay = gift !== null && lastDay === lastDayOf(gift.expiresAt, zone);
  const end = isDay(lastDay) ? new Date(dayStart(addDays(lastDay, 1), zone)).toISOString() : null;
  return {
    name: name.trim(),
    resource: resource.trim(),
    isDefault,
    stock: stock === '' ? null : Number(stock),
    expiresAt: isSameDay ? gift.expiresAt : end,
  };
}

function lastDayOf(expiresAt: string | null, zone: string): string {
  return expiresAt === null ? '' : dayOf(Date.parse(expiresAt) - 1, zone);
}
