/** Checks of the figures against the events, with their correction, and of the points. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, type Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Empty, ErrorNote } from '../../components/states.tsx';
import { number } from '../../format/format.ts';
import { pageAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/data.ts';

export function Checks({ bot }: PageProps) {
  return (
    <>
      <FigureCheck bot={bot} />
      <PointsCheck bot={bot} />
    </>
  );
}

function FigureCheck({ bot }: PageProps) {
  const [result, setResult] = useState<Schema['Recount'] | null>(null);
  const action = useAction();
  const run = async (check: boolean): Promise<void> => {
    const params = { path: { botId: bot.botId } };
    setResult(await bodyOf(api.POST('/api/v1/bots/{botId}/recount', { params, body: { check } })));
  };
  const isWrong = result !== null && result.differences.length > 0;
  return (
    <Card
      title={t('figureCheck')}
      note={t('figureCheckNote')}
      isBusy={action.isBusy}
      actions={
        <>
          <button
            type="button"
            class="button"
            disabled={action.isBusy}
            onClick={() => void action.run(() => run(true))}
          >
            {t('checkFigures')}
          </button>
          {isWrong && result.check && (
            <ConfirmButton
              title={t('correctFigures')}
              text={t('correctAsk')}
              actionTitle={t('correctFigures')}
              act={() => run(false)}
            />
          )}
        </>
      }
    >
      {action.error && <ErrorNote error={action.error} />}
      {result !== null && (
        <p role="status">
          {isWrong ? t(result.check ? 'figuresWrong' : 'figuresCorrected') : t('figuresRight')}
        </p>
      )}
      {isWrong && (
        <DataTable
          caption={t('differences')}
          rows={result.differences}
          keyOf={({ where }) => where}
          empty={<Empty title={t('figuresRight')} />}
          columns={[
            { key: 'where', title: t('where'), cell: ({ where }) => where },
            { key: 'stored', title: t('stored'), cell: ({ stored }) => stored },
            { key: 'recounted', title: t('recounted'), cell: ({ recounted }) => recounted },
          ]}
        />
      )}
    </Card>
  );
}

function PointsCheck({ bot }: PageProps) {
  const [result, setResult] = useState<Schema['PointsAudit'] | null>(null);
  const action = useAction(async () => {
    const params = { path: { botId: bot.botId } };
    setResult(await bodyOf(api.POST('/api/v1/bots/{botId}/points/audit', { params })));
  });
  return (
    <Card
      title={t('pointsCheck')}
      note={t('pointsCheckNote')}
      isBusy={action.isBusy}
      actions={
        <button type="button" class="button" disabled={action.isBusy} onClick={() => void action.run()}>
          {t('checkPoints')}
        </button>
      }
    >
      {action.error && <ErrorNote error={action.error} />}
      {result !== null && (
        <p role="status">{t(result.differences.length === 0 ? 'pointsRight' : 'pointsWrong')}</p>
      )}
      {result !== null && result.differences.length > 0 && (
        <DataTable
          caption={t('differences')}
          rows={result.differences}
          keyOf={({ contactId }) => contactId}
          empty={<Empty title={t('pointsRight')} />}
          columns={[
            {
              key: 'contact',
              title: t('contact'),
              cell: ({ contactId }) => (
                <a href={`${pageAddress(bot.botId, 'contacts')}?contact=${contactId}`}>{contactId}</a>
              ),
            },
            { key: 'balance', title: t('balance'), isNumber: true, cell: ({ balance }) => number(balance) },
            { key: 'entries', title: t('entries'), isNumber: true, cell: ({ entries }) => number(entries) },
            { key: 'lots', title: t('lots'), isNumber: true, cell: ({ lots }) => number(lots) },
          ]}
        />
      )}
    </Card>
  );
}
