/** The creation of a bot. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { ZoneField } from '../../components/zone-field.tsx';
import { pageAddress, useAddress } from '../../state/address.ts';
import { reloadBots } from '../../state/bots.ts';
import { isForAllBots, may } from '../../state/session.ts';
import { t } from '../../texts/settings.ts';
import { type ApiPair, PairFields } from './access.tsx';
import { NameField } from './bot-fields.tsx';

const zoneDefault = 'Asia/Taipei';

/** Creates a bot; only for admins of all bots. */
export function NewBotButton({ isMain = false }: { isMain?: boolean }) {
  const [isOpen, setOpen] = useState(false);
  if (!may('admin') || !isForAllBots()) return null;
  return (
    <>
      <button type="button" class={isMain ? 'button button-main' : 'button'} onClick={() => setOpen(true)}>
        <Icon name="plus" />
        {t('newBot')}
      </button>
      {isOpen && <NewBotDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function NewBotDialog({ onClose }: { onClose(): void }) {
  const { go } = useAddress();
  const [name, setName] = useState('');
  const [timeZone, setTimeZone] = useState(zoneDefault);
  const [isTried, setTried] = useState(false);
  const [pair, setPair] = useState<ApiPair | null>(null);
  const creating = useAction(async () => {
    setPair(await bodyOf(api.POST('/api/v1/bots', { body: { name: name.trim(), timeZone } })));
    await reloadBots();
  });
  const submit = (): void => {
    setTried(true);
    if (name.trim() !== '') void creating.run();
  };
  if (pair) {
    const leave = (): void => {
      onClose();
      go(`${pageAddress(pair.botId, 'settings')}?section=channels`);
    };
    return (
      <Dialog title={t('botMade')} onClose={leave}>
        <div class="form">
          <PairFields pair={pair} />
          <div class="dialog-actions">
            <button type="button" class="button button-main" onClick={leave}>
              {t('toChannels')}
            </button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <FormDialog title={t('newBot')} submit={t('make')} action={creating} onSubmit={submit} onClose={onClose}>
      <NameField value={name} onValue={setName} isTried={isTried} />
      <ZoneField hint={t('timeZoneHint')} value={timeZone} onValue={setTimeZone} />
    </FormDialog>
  );
}
