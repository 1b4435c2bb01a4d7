/** The bots of a user: all, or a choice of those that the signed-in account may use. */
import { type Bot, useBots } from '../../state/bots.ts';
import { isForAllBots } from '../../state/session.ts';
import { t } from '../../texts/settings.ts';
import { t as users } from '../../texts/users.ts';

type BotIds = readonly string[] | null;

export function BotsField({ value, onValue }: { value: BotIds; onValue(value: BotIds): void }) {
  const bots = useBots().bots ?? [];
  const toggle = (botId: string): void => {
    const botIds = value ?? [];
    onValue(botIds.includes(botId) ? botIds.filter((id) => id !== botId) : [...botIds, botId]);
  };
  return (
    <fieldset class="bots-field">
      <legend>{t('forBots')}</legend>
      {isForAllBots() && (
        <label>
          <input
            type="checkbox"
            checked={value === null}
            onChange={() => onValue(value === null ? bots.slice(0, 1).map(({ botId }) => botId) : null)}
          />
          {t('allBots')}
        </label>
      )}
      {value !== null &&
        bots.map(({ botId, name }) => (
          <label key={botId}>
            <input type="checkbox" checked={value.includes(botId)} onChange={() => toggle(botId)} />
            {name}
          </label>
        ))}
      {value?.length === 0 && (
        <p class="field-error" role="alert">
          {users('chooseBots')}
        </p>
      )}
    </fieldset>
  );
}

/** The names of bots; null: all. */
export function namesOf(botIds: BotIds, bots: readonly Bot[]): string {
  if (botIds === null) return t('allBots');
  return botIds.map((id) => bots.find(({ botId }) => botId === id)?.name ?? id).join(', ');
}
