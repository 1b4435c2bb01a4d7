/** The list of conversations, newest first, with links to their contacts. */ import {
  resource,
  type Schema,
} from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PlatformChoice } from '../../components/platform-choice.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime, duration, number } from '../../format/format.ts';
import { platformNames, platformTitle } from '../../format/platforms.ts';
import type { Range } from '../../format/range.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { Bot } from '../../state/bots.ts';
import type { PlatformOrAll } from '../../state/overview.ts';
import { t } from '../../texts/conversations.ts';
import { t as figureTexts } from '../../texts/overview.ts';

type Conversation = Schema['Conversation'];

export function List({ bot, range: { from, to } }: { bot: Bot; range: Range }) {
  const { query, setQuery } = useAddress();
  const platform = platformNames.find((name) => name === query.platform);
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/conversations', {
        path: { botId: bot.botId },
        query: { from, to, platform, cursor },
      }),
    ({ conversations }) => conversations,
  );
  return (
    <Card
      title={t('list')}
      note={t('listNote')}
      actions={
        <PlatformChoice
          label={figureTexts('platform')}
          value={platform ?? 'all'}
          onChange={(chosen: PlatformOrAll) => setQuery({ platform: chosen === 'all' ? null : chosen })}
          platforms={platformNames}
        />
      }
    >
      <DataTable<Conversation>
        caption={t('list')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ contactId, firstAt }) => `${contactId} ${firstAt}`}
        empty={<Empty title={t('noConversations')}>{t('noConversationsHint')}</Empty>}
        columns={[
          {
            key: 'firstAt',
            title: t('began'),
            cell: ({ firstAt }) => <span class="nowrap">{dateTime(firstAt, bot.timeZone)}</span>,
            sortBy: ({ firstAt }) => firstAt,
          },
          {
            key: 'platform',
            title: figureTexts('platform'),
            cell: (row) => <PlatformName platform={row.platform} />,
            sortBy: (row) => platformTitle(row.platform),
          },
          {
            key: 'contact',
            title: t('contact'),
            cell: ({ contactId }) => (
              <a href={`${pageAddress(bot.botId, 'contacts')}?contact=${encodeURIComponent(contactId)}`}>
                <code>{contactId}</code>
              </a>
            ),
          },
          {
            key: 'inbound',
            title: figureTexts('inbound'),
            isNumber: true,
            cell: ({ inbound }) => number(inbound),
            sortBy: ({ inbound }) => inbound,
          },
          {
            key: 'outbound',
            title: figureTexts('outbound'),
            isNumber: true,
            cell: ({ outbound }) => number(outbound),
            sortBy: ({ outbound }) => outbound,
          },
          {
            key: 'duration',
            title: t('duration'),
            isNumber: true,
            cell: (row) => duration(secondsOf(row)),
            sortBy: secondsOf,
          },
        ]}
      />
    </Card>
  );
}

function secondsOf({ firstAt, lastAt }: Conversation): number {
  return (Date.parse(lastAt) - Date.parse(firstAt)) / 1_000;
}
