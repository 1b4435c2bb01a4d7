/** A new send in the form, and as calls have it. */
import type { Schema } from '../../api/client.ts';
import { emptyMessage, type MessageDraft, messageOf } from '../../components/message-fields.tsx';
import type { PlatformName } from '../../format/platforms.ts';

export type Draft = {
  name: string;
  platform: PlatformName;
  /** Empty: the message below. */
  templateId: string;
  message: MessageDraft;
  isSaved: boolean;
  messageTag: string;
  to: 'filter' | 'named';
  filter: { tag: string; name: string; customerId: string; createdFrom: string; createdTo: string };
  /** Ids, separated by spaces, commas or lines. */
  contacts: string;
  startAt: string;
  zone: string;
  quietFrom: string;
  quietUntil: string;
};

export function emptyDraft(zone: string): Draft {
  return {
    ...{ name: '', platform: 'line', templateId: '', message: emptyMessage, isSaved: false, messageTag: '' },
    ...{ to: 'filter', contacts: '', startAt: '', zone, quietFrom: '', quietUntil: '' },
    filter: { tag: '', name: '', customerId: '', createdFrom: '', createdTo: '' },
  };
}

export function audienceOf({ platform, to, filter, contacts, zone }: Draft): Schema['SendAudience'] {
  if (to === 'named') {
    const ids = contacts.split(/[\s,]+/).filter((id) => id !== '');
    return { platform, zone, contacts: [...new Set(ids)] };
  }
  const conditions = Object.entries(filter).filter(([, value]) => value.trim() !== '');
  return { platform, zone, filter: Object.fromEntries(conditions) };
}

export function sendOf(draft: Draft): Schema['NewSend'] {
  const { name, platform, templateId, message, messageTag, startAt, quietFrom, quietUntil } = draft;
  return {
    ...audienceOf(draft),
    name: name.trim(),
    ...(templateId === '' ? { message: messageFor(platform, message) } : { templateId }),
    ...(platform === 'facebook' && messageTag !== '' ? { tag: messageTag } : {}),
    ...(startAt === '' ? {} : { startAt: startAt.slice(0, 16) }),
    ...(quietFrom === '' || quietUntil === ''
      ? {}
      : { quietHours: { from: quietFrom.slice(0, 5), until: quietUntil.slice(0, 5) } }),
  };
}

/** A draft keeps its WhatsApp template while another platform is chosen. */
function messageFor(platform: PlatformName, message: MessageDraft): Schema['SendMessage'] {
  return messageOf(platform === 'whatsapp' ? message : { ...message, whatsAppTemplate: null });
}

export function isHalfQuiet({ quietFrom, quietUntil }: Draft): boolean {
  return (quietFrom === '') !== (quietUntil === '');
}
