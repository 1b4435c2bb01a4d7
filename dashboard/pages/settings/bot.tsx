/** The settings of a bot (name, time zone, conversation gap), and the creation of a bot. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Facts } from '../../components/facts.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { showToast } from '../../components/toast.tsx';
import { duration, zoneName } from '../../format/format.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import { type Bot, type PageProps, reloadBots } from '../../state/bots.ts';
import { isForAllBots, may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { type ApiPair, PairFields } from './access.tsx';

const zoneDefault = 'Asia/Taipei';
const secondsPerMinute = 60;
/** The maximum of the API: a week. */
const gapMinutesMax = 10_080;

export function BotSettings({ bot }: PageProps) {
  if (may('write')) return <BotForm bot={bot} />;
  return (
    <Card title={t('bot')}>
      <Facts
        facts={[
          [t('botName'), bot.name],
          [t('timeZone'), bot.timeZone],
          [t('gap'), duration(bot.conversationGapSeconds)],
          [t('botId'), <code key="id">{bot.botId}</code>],
        ]}
      />
    </Card>
  );
}

function BotForm({ bot }: PageProps) {
  const [name, setName] = useState(bot.name);
  const [timeZone, setTimeZone] = useState(bot.timeZone);
  const [gap, setGap] = useState(String(bot.conversationGapSeconds / secondsPerMinute));
  const [isTried, setTried] = useState(false);
  const gapSeconds = Number(gap) * secondsPerMinute;
  const changes = changesOf(bot, { name: name.trim(), timeZone, conversationGapSeconds: gapSeconds });
  const isGapValid = Number.isInteger(gapSeconds) && gapSeconds >= 1 && Number(gap) <= gapMinutesMax;
  const gapError = isGapValid ? null : t('gapWrong', { max: String(gapMinutesMax) });
  const isRecounted = 'timeZone' in changes || 'conversationGapSeconds' in changes;
  const saving = useAction(async () => {
    await api.PATCH('/api/v1/bots/{botId}', { params: { path: { botId: bot.botId } }, body: changes });
    await reloadBots();
    showToast(t('saved'));
  });
  const submit = (): void => {
    setTried(true);
    if (name.trim() !== '' && gapError === null && Object.keys(changes).length > 0) void saving.run();
  };
  return (
    <Card title={t('bot')} note={t('botNote')}>
      <Form action={saving} onSubmit={submit} canSave={Object.keys(changes).length > 0}>
        <NameField value={name} onValue={setName} isTried={isTried} />
        <ZoneField value={timeZone} onValue={setTimeZone} />
        <TextField
          label={t('gapMinutes')}
          hint={t('gapHint')}
          type="number"
          min="1"
          max={gapMinutesMax}
          value={gap}
          onValue={setGap}
          error={isTried ? gapError : null}
        />
        <Facts facts={[[t('botId'), <code key="id">{bot.botId}</code>]]} />
        {isRecounted && <p class="notice">{t('recount')}</p>}
      </Form>
    </Card>
  );
}

function changesOf(bot: Bot, edited: Pick<Bot, 'name' | 'timeZone' | 'conversationGapSeconds'>) {
  return {
    ...(edited.name === bot.name ? {} : { name: edited.name }),
    ...(edited.timeZone === bot.timeZone ? {} : { timeZone: edited.timeZone }),
    ...(edited.conversationGapSeconds === bot.conversationGapSeconds
      ? {}
      : { conversationGapSeconds: edited.conversationGapSeconds }),
  };
}

function NameField({
  value,
  onValue,
  isTried,
}: {
  value: string;
  onValue(value: string): void;
  /** The form was submitted; a missing name is now an error. */
  isTried: boolean;
}) {
  return (
    <TextField
      label={t('botName')}
      value={value}
      onValue={onValue}
      maxLength={200}
      required
      error={isTried && value.trim() === '' ? frame('required') : null}
    />
  );
}

function ZoneField({ value, onValue }: { value: string; onValue(zone: string): void }) {
  const zones = Intl.supportedValuesOf('timeZone');
  const now = Date.now();
  return (
    <SelectField
      label={t('timeZone')}
      hint={t('timeZoneHint')}
      value={value}
      onValue={onValue}
      choices={[...new Set([value, ...zones])]
        .sort()
        .map((zone) => ({ value: zone, title: zone === value ? zoneName(zone, now) : zone }))}
    />
  );
}

/** Creates a bot; only for admins of all bots. */
export function NewBotButton() {
  const [isOpen, setOpen] = useState(false);
  if (!may('admin') || !isForAllBots()) return null;
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        <Icon name="plus" />
        {t('newBot')}
      </button>
      {isOpen && <NewBotDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function NewBotDialog({ onClose }: { onClose(): void }) {
  const { go } = useAddress();
  const [name, setName] = useState('');
  const [timeZone, setTimeZone] = useState(zoneDefault);
  const [isTried, setTried] = useState(false);
  const [pair, setPair] = useState<ApiPair | null>(null);
  const creating = useAction(async () => {
    setPair(await bodyOf(api.POST('/api/v1/bots', { body: { name: name.trim(), timeZone } })));
    await reloadBots();
  });
  const submit = (): void => {
    setTried(true);
    if (name.trim() !== '') void creating.run();
  };
  if (pair) {
    const leave = (): void => {
      onClose();
      go(`${pageAddress(pair.botId, 'settings')}?section=channels`);
    };
    return (
      <Dialog title={t('botMade')} onClose={leave}>
        <div class="form">
          <PairFields pair={pair} />
          <div class="dialog-actions">
            <button type="button" class="button button-main" onClick={leave}>
              {t('toChannels')}
            </button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <FormDialog title={t('newBot')} submit={t('make')} action={creating} onSubmit={submit} onClose={onClose}>
      <NameField value={name} onValue={setName} isTried={isTried} />
      <ZoneField value={timeZone} onValue={setTimeZone} />
    </FormDialog>
  );
}
