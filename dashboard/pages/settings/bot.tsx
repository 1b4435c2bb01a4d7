/** The settings of a bot: name, time zone, conversation gap. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Facts } from '../../components/facts.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { showToast } from '../../components/toast.tsx';
import { ZoneField } from '../../components/zone-field.tsx';
import { duration } from '../../format/format.ts';
import { type Bot, type PageProps, reloadBots } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/settings.ts';
import { NameField } from './bot-fields.tsx';

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
        <ZoneField hint={t('timeZoneHint')} value={timeZone} onValue={setTimeZone} />
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
