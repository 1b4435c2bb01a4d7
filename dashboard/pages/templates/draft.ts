/** A message template in the editor, and as calls have it. */
import type { Schema } from '../../api/client.ts';
import { emptyMessage, type MessageDraft, messageOf } from '../../components/message-fields.tsx';
import { type PlatformName, platformNames } from '../../format/platforms.ts';

export type Template = Schema['MessageTemplate'];
/** What differs on a platform: an empty text and null replies are those of the template. */
export type Variant = { text: string; quickReplies: readonly string[] | null };
export type Draft = { name: string; message: MessageDraft; variants: Record<PlatformName, Variant> };

export function draftOf(template: Template | null): Draft {
  const variants = Object.fromEntries(
    platformNames.map((platform) => {
      const { text = '', quickReplies = null } = template?.platforms[platform] ?? {};
      return [platform, { text, quickReplies }];
    }),
  ) as Draft['variants'];
  if (template === null) return { name: '', message: emptyMessage, variants };
  const { name, text, quickReplies, whatsAppTemplate } = template;
  return { name, message: { text: text ?? '', quickReplies, whatsAppTemplate }, variants };
}

export function bodyOfDraft({ name, message, variants }: Draft): Schema['NewMessageTemplate'] {
  const platforms = Object.fromEntries(
    platformNames.flatMap((platform) => {
      const { text, quickReplies } = variants[platform];
      const variant = {
        ...(text.trim() === '' ? {} : { text }),
        ...(quickReplies === null ? {} : { quickReplies: [...quickReplies] }),
      };
      return Object.keys(variant).length === 0 ? [] : [[platform, variant]];
    }),
  );
  return { name: name.trim(), ...messageOf(message), platforms };
}
