/**
 * Announces new messages of visitors by a sound and a notification of the browser. Both are off until a user turns them on, for one
 * browser.
 */
import { attempt } from '../../api/attempt.ts';
import { api, bodyOf } from '../../api/client.ts';
import { readSetting, writeSetting } from '../../preferences/storage.ts';
import { pageAddress } from '../../state/address.ts';
import { t } from '../../texts/live-chat.ts';
import type { Message } from './chat.ts';
import { nameOf } from './chat-list.tsx';

export type Announcement = 'chatSound' | 'chatNotifications';

/** Several tabs of a browser receive a message within this time; one of them announces it. */
const sharedMs = 5_000;

export function isOn(name: Announcement): boolean {
  if (name === 'chatNotifications' && !('Notification' in window && Notification.permission === 'granted'))
    return false;
  return readSetting(name) === 'on';
}

/** Turns an announcement on or off. False: the browser does not allow notifications. */
export async function turn(name: Announcement, on: boolean): Promise<boolean> {
  if (on && name === 'chatNotifications') {
    if (!('Notification' in window) || (await Notification.requestPermission()) !== 'granted') return false;
  }
  writeSetting(name, on ? 'on' : null);
  if (on && name === 'chatSound') ring();
  return true;
}

/** Announces a visitor's message, unless the user sees its chat. */
export async function announce(botId: string, visitorId: string, message: Message): Promise<void> {
  if (!isOn('chatSound') && !isOn('chatNotifications')) return;
  const address = `${pageAddress(botId, 'live-chat')}?${new URLSearchParams({ chat: visitorId })}`;
  const isSeen = document.hasFocus() && location.pathname + location.search === address;
  if (isSeen) return;
  await inOneTab(message.messageId, async () => {
    if (isOn('chatSound')) ring();
    if (isOn('chatNotifications')) await notify({ botId, visitorId, message, address });
  });
}

async function inOneTab(messageId: string, act: () => Promise<void>): Promise<void> {
  // Browsers have locks on secure pages only.
  if (!navigator.locks) return act();
  await navigator.locks.request(`shoal.chat.${messageId}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await act();
    await new Promise((resolve) => setTimeout(resolve, sharedMs));
  });
}

async function notify({
  botId,
  visitorId,
  message,
  address,
}: {
  botId: string;
  visitorId: string;
  message: Message;
  address: string;
}): Promise<void> {
  await attempt(
    async () => {
      const params = { path: { botId, visitorId } };
      const chat = await bodyOf(api.GET('/api/v1/bots/{botId}/chats/{visitorId}', { params }));
      const shown = new Notification(nameOf(chat), {
        body: message.text ?? t('image'),
        icon: '/icon.svg',
        tag: visitorId,
      });
      shown.onclick = () => {
        focus();
        location.assign(address);
      };
    },
    // The number of unread messages shows it, too.
    () => undefined,
  );
}

/** Two short tones. A browser plays them after the first click on the page. */
function ring(): void {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = 0.15;
  volume.connect(context.destination);
  const tones = [880, 1_175].map((hertz, index) => {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    tone.start(context.currentTime + index * 0.15);
    tone.stop(context.currentTime + index * 0.15 + 0.12);
    return tone;
  });
  const last = tones.at(-1);
  if (last) last.onended = () => void context.close();
}
