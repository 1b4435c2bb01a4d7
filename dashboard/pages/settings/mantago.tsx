/** Moving in from MantaGo: the connection, the import's progress, and what it could not bring over. */
import { useState } from 'preact/hooks';
import { countNames, isProblemReason } from '../../../src/mantago/names.ts';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { CsvButton } from '../../components/csv-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Facts } from '../../components/facts.tsx';
import { TextAreaField, TextField } from '../../components/field.tsx';
import { FormFrame } from '../../components/form-frame.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, duration, number } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/mantago.ts';

type State = Schema['MantagoState'];
type Import = Schema['MantagoImport'];
type Problem = Schema['MantagoProblems']['problems'][number];

export function MantagoSettings({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/mantago', { path: { botId: bot.botId } }));
  return (
    <Loaded live={live}>
      {(state) => (
        <>
          <Card title="MantaGo" note={t('note')}>
            {state.import && <Progress bot={bot} walk={state.import} changed={live.reload} />}
            {may('admin') && state.import?.state !== 'running' && (
              <StartForm key={state.import?.run ?? 0} bot={bot} walk={state.import} changed={live.reload} />
            )}
          </Card>
          {state.import && (
            <Report key={`${state.import.run} ${state.import.state}`} bot={bot} state={state} />
          )}
        </>
      )}
    </Loaded>
  );
}

function Progress({ bot, walk, changed }: PageProps & { walk: Import; changed(): void }) {
  const { state, counts, expected, secondsLeft, problem, startedAt, endedAt } = walk;
  const stopping = useAction(async () => {
    await bodyOf(
      api.POST('/api/v1/bots/{botId}/mantago/import/stop', { params: { path: { botId: bot.botId } } }),
    );
    changed();
  });
  const done = counts.clients ?? 0;
  const all = Math.max(expected ?? 0, done);
  return (
    <>
      <Facts
        facts={[
          [t('state'), t(state)],
          [
            t('progress'),
            <span key="progress">
              <progress value={state === 'done' ? 1 : done} max={state === 'done' ? 1 : Math.max(1, all)} />{' '}
              {t('ofClients', { done: number(done), all: number(all) })}
            </span>,
          ],
          ...(secondsLeft === null ? [] : [[t('left'), duration(secondsLeft)] as const]),
          ...(problem === null ? [] : [[t('problem'), problem] as const]),
          [t('startedAt'), dateTime(startedAt, bot.timeZone)],
          ...(endedAt === null ? [] : [[t('endedAt'), dateTime(endedAt, bot.timeZone)] as const]),
          ...countNames
            .filter((name) => name !== 'clients' && counts[name])
            .map((name) => [t(name), number(counts[name] ?? 0)] as const),
        ]}
      />
      {stopping.error && <ErrorNote error={stopping.error} />}
      {may('admin') && state === 'running' && (
        <button type="button" class="button" disabled={stopping.isBusy} onClick={() => void stopping.run()}>
          {t('stop')}
        </button>
      )}
    </>
  );
}

function StartForm({ bot, walk, changed }: PageProps & { walk: Import | null; changed(): void }) {
  const [address, setAddress] = useState(walk?.address ?? 'https://mantago.cc');
  const [theirBotId, setTheirBotId] = useState(walk?.theirBotId ?? '');
  const [token, setToken] = useState('');
  const [secret, setSecret] = useState('');
  const [ids, setIds] = useState('');
  const starting = useAction(async () => {
    const encodedIds = [...new Set(ids.split(/\s+/).filter((id) => id !== ''))];
    const body = {
      ...{ address: address.trim(), theirBotId: theirBotId.trim(), encodedIds },
      ...(token !== '' && { token: token.trim() }),
      ...(secret !== '' && { secret: secret.trim() }),
    };
    const params = { path: { botId: bot.botId } };
    await bodyOf(api.POST('/api/v1/bots/{botId}/mantago/import', { params, body }));
    showToast(t('started'));
    changed();
  });
  const isKept = walk !== null;
  const isReady =
    theirBotId.trim() !== '' && address.trim() !== '' && (isKept || (token !== '' && secret !== ''));
  const pairHint = t(isKept ? 'pairKept' : 'pairHint');
  return (
    <FormFrame
      action={starting}
      onSubmit={() => void (isReady && starting.run())}
      isNarrow
      buttons={
        <div class="form-actions">
          <button type="submit" class="button button-main" disabled={starting.isBusy || !isReady}>
            {t(walk === null ? 'start' : walk.state === 'done' ? 'update' : 'resume')}
          </button>
        </div>
      }
    >
      <TextField
        label={t('address')}
        hint={t('addressHint')}
        type="url"
        maxLength={2048}
        value={address}
        onValue={setAddress}
      />
      <TextField
        label={t('theirBotId')}
        hint={t('theirBotIdHint')}
        maxLength={64}
        value={theirBotId}
        onValue={setTheirBotId}
        spellcheck={false}
      />
      <TextField
        label={t('token')}
        hint={pairHint}
        type="password"
        autoComplete="off"
        value={token}
        onValue={setToken}
      />
      <TextField
        label={t('secret')}
        hint={pairHint}
        type="password"
        autoComplete="off"
        value={secret}
        onValue={setSecret}
      />
      <TextAreaField
        label={t('encodedIds')}
        hint={t('encodedIdsHint')}
        rows={2}
        value={ids}
        onValue={setIds}
      />
    </FormFrame>
  );
}

function Report({ bot, state }: PageProps & { state: State }) {
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/mantago/problems', {
        path: { botId: bot.botId },
        query: { ...(cursor === undefined ? {} : { cursor }) },
      }),
    ({ problems }) => problems,
  );
  const rows = state.problems.map(({ reason, count }) => [nameOf(reason), count] as const);
  return (
    <Card
      title={t('report')}
      note={t('reportNote')}
      actions={
        <CsvButton
          title={t('report')}
          fileName="mantago-report"
          rows={() => [
            [t('reason'), t('subject'), t('detail')],
            ...pages.rows.map(({ reason, subject, detail }) => [nameOf(reason), subject, detail]),
          ]}
        />
      }
    >
      {rows.length > 0 && <Facts facts={rows.map(([name, count]) => [name, number(count)] as const)} />}
      <DataTable
        caption={t('report')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ reason, platform, subject }: Problem) => `${reason} ${platform} ${subject}`}
        empty={<Empty title={t('nothingLeftOut')} />}
        columns={[
          { key: 'reason', title: t('reason'), cell: ({ reason }) => nameOf(reason) },
          { key: 'subject', title: t('subject'), cell: ({ subject }) => subject },
          { key: 'detail', title: t('detail'), cell: ({ detail }) => detail },
        ]}
      />
    </Card>
  );
}

// A reason of a newer server keeps the server's word.
function nameOf(reason: string): string {
  return isProblemReason(reason) ? t(`problem-${reason}`) : reason;
}
