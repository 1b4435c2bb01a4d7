/** The guided set-up of a platform: credentials to copy, addresses to paste, and the test with a first delivery. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Icon } from '../../components/icon.tsx';
import { ErrorNote } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import { pageAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { publicOrigin } from '../../state/session.ts';
import { t } from '../../texts/channels.ts';
import { t as frame } from '../../texts/frame.ts';
import { t as settings } from '../../texts/settings.ts';
import { type Channel, guides, newVerifyToken, type SettingName, type WebhookPlatform } from './channel.ts';

type GuideProps = PageProps & { platform: WebhookPlatform; channel: Channel | null; changed(): void };

const waitingMs = 2_000;

export function ChannelGuide({ bot, platform, channel, changed }: GuideProps) {
  const guide = guides[platform];
  /** The token to paste; null if an earlier token is set, which cannot be shown again. */
  const [verifyToken, setVerifyToken] = useState(() => (channel?.verifyTokenSet ? null : newVerifyToken()));
  const address = `${publicOrigin()}/webhooks/${bot.botId}/${platform}`;
  return (
    <Card title={t('setUpWhich', { platform: platformTitle(platform) })}>
      <ol class="steps">
        <Step title={t('stepCopy')}>
          <p>
            {t(guide.copy)}{' '}
            <a href={guide.console.url} target="_blank" rel="noreferrer">
              {guide.console.title}
            </a>
          </p>
          <Credentials
            {...{ bot, platform, channel, changed, verifyToken }}
            renewVerifyToken={() => setVerifyToken(newVerifyToken())}
          />
        </Step>
        <Step title={t('stepPaste')}>
          <p>{t(guide.paste)}</p>
          {!address.startsWith('https:') && <p class="notice">{t('notHttps')}</p>}
          <CopyField label={t('webhookAddress')} value={address} />
          {guide.hasVerifyToken &&
            (verifyToken ? (
              <CopyField label={t('verifyToken')} value={verifyToken} hint={t('verifyTokenSaveFirst')} />
            ) : (
              <p class="note">{t('verifyTokenSet')}</p>
            ))}
        </Step>
        <Step title={t('stepSubscribe')}>
          <p>{t(guide.subscribe)}</p>
          <ul class="names">
            {guide.subscriptions.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        </Step>
        <Step title={t('stepTest')}>
          <p>{t(guide.test)}</p>
          {channel ? <FirstDelivery bot={bot} platform={platform} /> : <p class="note">{t('saveFirst')}</p>}
        </Step>
      </ol>
    </Card>
  );
}

function Step({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <li class="step">
      <h3>{title}</h3>
      {children}
    </li>
  );
}

type CredentialsProps = GuideProps & { verifyToken: string | null; renewVerifyToken(): void };

function Credentials({ bot, platform, channel, changed, verifyToken, renewVerifyToken }: CredentialsProps) {
  const guide = guides[platform];
  const initial = {
    secret: '',
    accountId: channel?.accountId ?? '',
    channelId: channel?.channelId ?? '',
    accessToken: '',
    businessAccountId: channel?.businessAccountId ?? '',
  };
  const [values, setValues] = useState<Record<Exclude<SettingName, 'verifyToken'>, string>>(initial);
  const [isTried, setTried] = useState(false);
  const [isTokenSaved, setTokenSaved] = useState(false);
  const isMissing = (name: keyof typeof values, isRequired: boolean): boolean =>
    isRequired && values[name].trim() === '' && (channel === null || name === 'accountId');
  const changes = Object.entries(values).flatMap(([name, value]) =>
    (value.trim() === '' && !(name === 'channelId' && channel?.channelId)) ||
    (name === 'accountId' && value.trim() === channel?.accountId) ||
    (name === 'channelId' && value.trim() === channel?.channelId) ||
    (name === 'businessAccountId' && value.trim() === channel?.businessAccountId)
      ? []
      : [[name, value.trim() || null]],
  );
  const isTokenNew = guide.hasVerifyToken && verifyToken !== null && !isTokenSaved;
  const saving = useAction(async () => {
    const body = { ...Object.fromEntries(changes), ...(isTokenNew ? { verifyToken } : {}) };
    const params = { path: { botId: bot.botId, platform } };
    await api.PATCH('/api/v1/bots/{botId}/channels/{platform}', { params, body });
    // The page discards the secrets after the server has stored them.
    setValues({ ...values, secret: '', accessToken: '' });
    setTokenSaved(true);
    setTried(false);
    changed();
    showToast(settings('saved'));
  });
  const submit = (): void => {
    setTried(true);
    const isComplete = guide.fields.every(({ name, isRequired }) => !isMissing(name, isRequired));
    if (isComplete && (changes.length > 0 || isTokenNew)) void saving.run();
  };
  const buttons = guide.hasVerifyToken && (channel?.verifyTokenSet || isTokenSaved) && (
    <button
      type="button"
      class="button"
      onClick={() => {
        renewVerifyToken();
        setTokenSaved(false);
      }}
    >
      {t('newVerifyToken')}
    </button>
  );
  return (
    <Form action={saving} onSubmit={submit} buttons={buttons}>
      {guide.fields.map(({ name, title, hint, isSecret, isRequired }) => (
        <TextField
          key={name}
          label={t(title)}
          hint={isSaved(channel, name) ? t('kept') : hint && t(hint)}
          type={isSecret ? 'password' : 'text'}
          autoComplete="off"
          spellcheck={false}
          required={isRequired && channel === null}
          value={values[name]}
          onValue={(value) => setValues({ ...values, [name]: value })}
          error={isTried && isMissing(name, isRequired) ? frame('required') : null}
        />
      ))}
      {channel?.previousSecretUntil && (
        <p class="note">{t('previousUntil', { at: dateTime(channel.previousSecretUntil, bot.timeZone) })}</p>
      )}
    </Form>
  );
}

function isSaved(channel: Channel | null, name: SettingName): boolean {
  if (channel === null) return false;
  return name === 'secret' || (name === 'accessToken' && channel.accessTokenSet);
}

/** Waits for the first delivery, and on request for another one. */
function FirstDelivery({ bot, platform }: PageProps & { platform: WebhookPlatform }) {
  const live = useLive(resource('/api/v1/bots/{botId}/health', { path: { botId: bot.botId } }), {
    everyMs: waitingMs,
  });
  /** The latest delivery when the wait started; undefined while not waiting for another one. */
  const [since, setSince] = useState<string | null | undefined>(null);
  if (live.value === null) return live.error ? <ErrorNote error={live.error} retry={live.reload} /> : null;
  const at = live.value.channels.find((one) => one.platform === platform)?.lastDeliveryAt ?? null;
  const time = at === null ? '' : dateTime(at, bot.timeZone);
  return (
    <div class="wait" role="status">
      {at === since ? (
        <p class="wait-words">
          <span class="pulse" aria-hidden="true" />
          {at === null ? t('waiting') : t('waitingForAnother')}
        </p>
      ) : (
        <p class="wait-words wait-done">
          <Icon name="check" />
          {since === undefined || since === null
            ? t('cameIn', { at: time })
            : t('anotherCameIn', { at: time })}
        </p>
      )}
      {at === since ? (
        <p class="note">{t('nothingComes')}</p>
      ) : (
        <span class="row-actions">
          <button type="button" class="button" onClick={() => setSince(at)}>
            {t('waitForAnother')}
          </button>
          <a class="button" href={pageAddress(bot.botId, 'overview')}>
            {frame('toOverview')}
          </a>
        </span>
      )}
    </div>
  );
}
