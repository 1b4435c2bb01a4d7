/** Turns the sound and the notifications of new messages on and off, in this browser. */
import { useState } from 'preact/hooks';
import { showToast } from '../../components/toast.tsx';
import { t } from '../../texts/live-chat.ts';
import { type Announcement, isOn, turn } from './announcement.ts';

export function AnnouncementChoices() {
  return (
    <>
      <Switch name="chatSound" title={t('sound')} />
      <Switch name="chatNotifications" title={t('notifications')} />
    </>
  );
}

function Switch({ name, title }: { name: Announcement; title: string }) {
  const [on, setOn] = useState(isOn(name));
  const change = async (): Promise<void> => {
    if (await turn(name, !on)) setOn(!on);
    else showToast(t('notificationsRefused'), 'failed');
  };
  return (
    <button type="button" class="button" aria-pressed={on} onClick={() => void change()}>
      {title}
    </button>
  );
}
