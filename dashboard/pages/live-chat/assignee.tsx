/** Selects the user who answers a chat. */
import { resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Choice } from '../../components/choice.tsx';
import { t } from '../../texts/live-chat.ts';
import type { Chat } from './chat.ts';

type Props = { botId: string; chat: Chat; assign(userId: string | null): void };

export function Assignee({ botId, chat: { assignee }, assign }: Props) {
  const { value } = useLive(resource('/api/v1/bots/{botId}/chats/assignees', { path: { botId } }), {
    everyMs: 60_000,
  });
  const users = value?.users ?? [];
  const isListed = users.some(({ userId }) => userId === assignee?.userId);
  const choices = assignee && !isListed ? [assignee, ...users] : users;
  return (
    <Choice
      label={t('assignedTo')}
      value={assignee?.userId ?? ''}
      onChange={(userId: string) => assign(userId || null)}
      choices={[
        { value: '', title: t('assignedToNone') },
        ...choices.map(({ userId, name }) => ({ value: userId, title: name })),
      ]}
    />
  );
}
