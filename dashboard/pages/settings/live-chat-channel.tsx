/** The settings of live chat: the script line, the allowed sites, and proof of customers' identity. */
import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, type Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { CheckField, TextAreaField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Empty, ErrorNote, Loading } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { publicOrigin } from '../../state/session.ts';
import { t } from '../../texts/channels.ts';
import { t as frame } from '../../texts/frame.ts';
import { t as settings } from '../../texts/settings.ts';
import type { Channel } from './channel.ts';

type Props = PageProps & { channel: Channel | null; changed(): void };

export function LiveChatChannel({ bot, channel, changed }: Props) {
  const [widgetKey, setWidgetKey] = useState<string | null>(null);
  const change = async (body: Schema['ChannelSettings']): Promise<Channel> => {
    const params = { path: { botId: bot.botId, platform: 'liveChat' } } as const;
    const answer = await bodyOf(api.PATCH('/api/v1/bots/{botId}/channels/{platform}', { params, body }));
    setWidgetKey(answer.widgetKey ?? null);
    changed();
    return answer;
  };
  const reading = useAction(() => change({}));
  // Only the answer to a change contains the key; an empty change returns it and changes nothing.
  useEffect(() => {
    if (channel !== null && widgetKey === null) void reading.run();
  }, [channel === null]);
  if (channel === null) {
    return (
      <Card title={frame('liveChat')}>
        <Empty title={t('chatNotConnected')}>
          <p>{t('chatIntro')}</p>
          {reading.error && <ErrorNote error={reading.error} />}
          <button
            type="button"
            class="button button-main"
            disabled={reading.isBusy}
            onClick={() => void reading.run()}
          >
            {t('chatSetUp')}
          </button>
        </Empty>
      </Card>
    );
  }
  const parts = { bot, channel, change };
  return (
    <>
      <ScriptCard {...parts} widgetKey={widgetKey} error={reading.error} retry={() => void reading.run()} />
      <OriginsCard {...parts} />
      <IdentityCard {...parts} />
    </>
  );
}

type PartProps = PageProps & {
  channel: Channel;
  /** Changes the channel; throws ApiError. */
  change(body: Schema['ChannelSettings']): Promise<Channel>;
};
type ScriptProps = PartProps & {
  widgetKey: string | null;
  error: Parameters<typeof ErrorNote>[0]['error'] | null;
  retry(): void;
};

function ScriptCard({ bot, channel, change, widgetKey, error, retry }: ScriptProps) {
  const line = `<script src="${publicOrigin()}/live-chat/widget.js" data-widget-key="${widgetKey}" async></script>`;
  return (
    <Card
      title={t('script')}
      note={t('scriptNote')}
      actions={
        <ConfirmButton
          title={t('newWidgetKey')}
          text={t('newWidgetKeyAsk')}
          actionTitle={t('newWidgetKey')}
          act={async () => void (await change({ newWidgetKey: true }))}
        />
      }
    >
      {widgetKey ? (
        <CopyField label={t('scriptLine')} value={line} rows={3} hint={t('scriptHint')} />
      ) : error ? (
        <ErrorNote error={error} retry={retry} />
      ) : (
        <Loading />
      )}
      {channel.previousSecretUntil && (
        <p class="note">
          {t('previousKeyUntil', { at: dateTime(channel.previousSecretUntil, bot.timeZone) })}
        </p>
      )}
    </Card>
  );
}

function OriginsCard({ channel, change }: PartProps) {
  const [text, setText] = useState(channel.allowedOrigins.join('\n'));
  const [isTried, setTried] = useState(false);
  const origins = [...new Set(text.split(/[\s,]+/).filter((origin) => origin !== ''))];
  const invalidOrigin = origins.find((origin) => !isOrigin(origin));
  const saving = useAction(async () => {
    const answer = await change({ allowedOrigins: origins });
    setText(answer.allowedOrigins.join('\n'));
    setTried(false);
    showToast(settings('saved'));
  });
  const submit = (): void => {
    setTried(true);
    if (invalidOrigin === undefined) void saving.run();
  };
  return (
    <Card title={t('origins')} note={t('originsNote')}>
      <Form action={saving} onSubmit={submit}>
        <TextAreaField
          label={t('allowedOrigins')}
          hint={t('allowedOriginsHint')}
          rows={3}
          value={text}
          onValue={setText}
          error={isTried && invalidOrigin !== undefined ? t('originWrong', { origin: invalidOrigin }) : null}
        />
      </Form>
    </Card>
  );
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.parse(text)?.origin === text;
}

function IdentityCard({ channel, change }: PartProps) {
  const [identityKey, setIdentityKey] = useState<string | null>(null);
  const make = async (): Promise<void> =>
    setIdentityKey((await change({ newIdentityKey: true })).identityKey ?? null);
  const making = useAction(make);
  const [isRequired, setRequired] = useState(channel.identityRequired);
  const switching = useAction(async (isOn: boolean) => {
    setRequired(isOn);
    try {
      await change({ identityRequired: isOn });
    } catch (failure) {
      setRequired(!isOn);
      throw failure;
    }
    showToast(settings('saved'));
  });
  const error = making.error ?? switching.error;
  return (
    <Card
      title={t('identity')}
      note={t('identityNote')}
      actions={
        channel.identityKeySet ? (
          <ConfirmButton
            title={t('newIdentityKey')}
            text={t('newIdentityKeyAsk')}
            actionTitle={t('newIdentityKey')}
            act={make}
          />
        ) : (
          <button type="button" class="button" disabled={making.isBusy} onClick={() => void making.run()}>
            {t('makeIdentityKey')}
          </button>
        )
      }
    >
      {identityKey && (
        <>
          <p class="notice">{settings('shownOnce')}</p>
          <CopyField label={t('identityKey')} value={identityKey} hint={t('identityKeyHint')} />
        </>
      )}
      <CopyField
        label={t('identityLine')}
        rows={3}
        value={
          'data-identifier="CUSTOMER_ID"\ndata-identifier-hash="HEX(HMAC-SHA-256(IDENTITY_KEY, CUSTOMER_ID))"\ndata-name="NAME"'
        }
        hint={t('identityLineHint')}
      />
      <CheckField
        label={t('identityRequired')}
        hint={channel.identityKeySet ? t('identityRequiredHint') : t('identityNeedsKey')}
        isOn={isRequired}
        disabled={!channel.identityKeySet || switching.isBusy}
        onChange={(isOn) => void switching.run(isOn)}
      />
      {error && <ErrorNote error={error} />}
    </Card>
  );
}
