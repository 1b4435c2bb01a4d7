/**
 * A WhatsApp template with its parameters: chosen from the list of the account where Meta gives it, otherwise by name and language.
 */
import { type ApiError, resource, type Schema } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { number } from '../format/format.ts';
import { t } from '../texts/message.ts';
import { CheckField, SelectField, TextField } from './field.tsx';
import { Loading } from './states.tsx';

export type WhatsAppTemplate = Schema['WhatsAppTemplate'];
type Listed = Schema['WhatsAppTemplates']['templates'][number];
type Props = {
  botId: string;
  value: WhatsAppTemplate | null;
  onValue(value: WhatsAppTemplate | null): void;
};
type PartProps = { value: WhatsAppTemplate; onValue(value: WhatsAppTemplate): void };

const parametersMax = 20;
const languageDefault = 'zh_TW';

export function WhatsAppFields({ botId, value, onValue }: Props) {
  return (
    <>
      <CheckField
        label={t('whatsApp')}
        hint={t('whatsAppHint')}
        isOn={value !== null}
        onChange={(isOn) => onValue(isOn ? { name: '', language: languageDefault, parameters: [] } : null)}
      />
      {value !== null && <TemplateFields botId={botId} value={value} onValue={onValue} />}
    </>
  );
}

function TemplateFields({ botId, value, onValue }: PartProps & { botId: string }) {
  const live = useLive(resource('/api/v1/bots/{botId}/whatsapp-templates', { path: { botId } }), {
    everyMs: 0,
  });
  if (live.value === null && live.error === null) return <Loading />;
  const listed = live.value?.templates ?? [];
  return (
    <div class="sub-form">
      {listed.length > 0 ? (
        <ListedTemplate listed={listed} value={value} onValue={onValue} />
      ) : (
        <>
          <p class="note">{t('noList', { problem: problemOf(live.value?.problem, live.error) })}</p>
          <NamedTemplate value={value} onValue={onValue} />
        </>
      )}
      {value.parameters.map((parameter, index) => (
        <TextField
          key={index}
          label={t('parameter', { number: number(index + 1) })}
          value={parameter}
          onValue={(text) => onValue({ ...value, parameters: value.parameters.with(index, text) })}
        />
      ))}
    </div>
  );
}

function problemOf(problem: string | null | undefined, error: ApiError | null): string {
  return problem ?? error?.message ?? '';
}

function ListedTemplate({ listed, value, onValue }: PartProps & { listed: readonly Listed[] }) {
  const sendable = listed.filter(({ isSendable }) => isSendable);
  const chosen = sendable.find((one) => keyOf(one) === keyOf(value));
  const choices = sendable.map((one) => ({ value: keyOf(one), title: `${one.name} (${one.language})` }));
  const others = listed.length - sendable.length;
  return (
    <SelectField
      label={t('accountTemplate')}
      hint={chosen?.text ?? (others > 0 ? t('notListed', { count: others }) : undefined)}
      value={keyOf(value)}
      onValue={(key: string) => {
        const template = sendable.find((one) => keyOf(one) === key);
        if (!template) return;
        const { name, language, parameters } = template;
        onValue({ name, language, parameters: resized(value.parameters, parameters) });
      }}
      choices={
        chosen
          ? choices
          : [{ value: keyOf(value), title: value.name === '' ? t('chooseTemplate') : value.name }, ...choices]
      }
    />
  );
}

function NamedTemplate({ value, onValue }: PartProps) {
  return (
    <>
      <TextField
        label={t('templateName')}
        placeholder="order_ready"
        value={value.name}
        onValue={(name) => onValue({ ...value, name })}
        required
      />
      <TextField
        label={t('templateLanguage')}
        value={value.language}
        onValue={(language) => onValue({ ...value, language })}
        required
      />
      <TextField
        type="number"
        label={t('parameterCount')}
        min={0}
        max={parametersMax}
        value={String(value.parameters.length)}
        onValue={(text) => {
          const count = Math.min(parametersMax, Math.max(0, Math.trunc(Number(text))));
          onValue({ ...value, parameters: resized(value.parameters, count) });
        }}
      />
    </>
  );
}

function resized(parameters: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, index) => parameters[index] ?? '');
}

function keyOf({ name, language }: Pick<WhatsAppTemplate, 'name' | 'language'>): string {
  return `${name} ${language}`;
}
