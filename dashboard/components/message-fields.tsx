/** The content of a message: text with variables, quick replies, and a WhatsApp template. */
import { useRef } from 'preact/hooks';
import { buttonTextMax, messageLimits } from '../../src/sends/message-limits.ts';
import { variableNames } from '../../src/sends/variables.ts';
import type { Schema } from '../api/client.ts';
import { number } from '../format/format.ts';
import { type PlatformName, platformNames } from '../format/platforms.ts';
import { t } from '../texts/message.ts';
import { Choice } from './choice.tsx';
import { TextAreaField } from './field.tsx';
import { ReplyEditor } from './reply-editor.tsx';
import { WhatsAppFields, type WhatsAppTemplate } from './whatsapp-fields.tsx';

export type MessageDraft = {
  text: string;
  quickReplies: readonly string[];
  whatsAppTemplate: WhatsAppTemplate | null;
};

export const emptyMessage: MessageDraft = { text: '', quickReplies: [], whatsAppTemplate: null };

type Props = {
  botId: string;
  /** Null: for every platform. */
  platform: PlatformName | null;
  draft: MessageDraft;
  change(changes: Partial<MessageDraft>): void;
};

export function MessageFields({ botId, platform, draft, change }: Props) {
  return (
    <>
      <MessageText
        label={t('text')}
        value={draft.text}
        max={textMaxOf(platform, draft.quickReplies)}
        isExplained
        onValue={(text) => change({ text })}
      />
      <div class="field">
        <span class="field-title">{t('quickReplies')}</span>
        <Replies
          platform={platform}
          replies={draft.quickReplies}
          change={(quickReplies) => change({ quickReplies })}
        />
      </div>
      {(platform === null || platform === 'whatsapp') && (
        <WhatsAppFields
          botId={botId}
          value={draft.whatsAppTemplate}
          onValue={(whatsAppTemplate) => change({ whatsAppTemplate })}
        />
      )}
    </>
  );
}

type TextProps = {
  label: string;
  value: string;
  max: number;
  /** Explains variables below the text. */
  isExplained?: boolean;
  onValue(value: string): void;
};

/** A text with its length, and a list of variables that inserts one at the cursor. */
export function MessageText({ label, value, max, isExplained = false, onValue }: TextProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const insert = (name: string): void => {
    const variable = `{{${name}}}`;
    const { selectionStart: from = value.length, selectionEnd: to = value.length } = area.current ?? {};
    onValue(value.slice(0, from) + variable + value.slice(to));
    area.current?.focus();
  };
  const length = t('lengthOf', { length: number(value.length), max: number(max) });
  return (
    <div class="message-text">
      <TextAreaField
        label={label}
        hint={isExplained ? `${length} ${t('variableHint', { variable: '{{name|customer}}' })}` : length}
        rows={4}
        value={value}
        onValue={onValue}
        element={area}
      />
      <Choice
        label={t('insert')}
        value=""
        onChange={(name: string) => name !== '' && insert(name)}
        choices={[
          { value: '', title: t('insert') },
          ...variableNames.map((name) => ({ value: name, title: t(`variable-${name}`) })),
        ]}
      />
    </div>
  );
}

type RepliesProps = {
  platform: PlatformName | null;
  replies: readonly string[];
  change(replies: readonly string[]): void;
};

export function Replies({ platform, replies, change }: RepliesProps) {
  const limits = platform === null ? largest : messageLimits[platform];
  return (
    <>
      <ReplyEditor replies={replies} change={change} max={limits.replies} lengthMax={limits.reply} />
      <p class="note">
        {platform === null ? t('repliesHint') : t('repliesHintOf', { max: number(limits.replies) })}
      </p>
    </>
  );
}

const all = platformNames.map((platform) => messageLimits[platform]);
const largest = {
  text: Math.max(...all.map(({ text }) => text)),
  replies: Math.max(...all.map(({ replies }) => replies)),
  reply: Math.max(...all.map(({ reply }) => reply)),
};

/** The number of characters that a text can have on a platform; null: on any. */
export function textMaxOf(platform: PlatformName | null, quickReplies: readonly string[]): number {
  if (platform === null) return largest.text;
  return platform === 'whatsapp' && quickReplies.length > 0 ? buttonTextMax : messageLimits[platform].text;
}

/** The message as calls have it. */
export function messageOf({ text, quickReplies, whatsAppTemplate }: MessageDraft): Schema['SendMessage'] {
  return {
    ...(text.trim() === '' ? {} : { text }),
    ...(quickReplies.length === 0 ? {} : { quickReplies: [...quickReplies] }),
    ...(whatsAppTemplate === null ? {} : { whatsAppTemplate }),
  };
}
