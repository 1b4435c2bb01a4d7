/** Conversations: how many, how many messages each has and how long it lasts, how both spread, and one by one. */
import { PageFrame } from '../../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../../components/range-picker.tsx';
import { Loaded } from '../../components/states.tsx';
import { useOverview } from '../../overview.ts';
import type { PageProps } from '../../pages.ts';
import { t as frame } from '../../texts/frame.ts';
import { ByDay, Together } from './by-day.tsx';
import { List } from './list.tsx';
import { Spread } from './spread.tsx';

export default function ConversationsPage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const live = useOverview(bot, range);
  return (
    <PageFrame
      title={frame('conversations')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker zone={bot.timeZone} />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => (
          <>
            <Together bot={bot} overview={overview} />
            <ByDay overview={overview} />
          </>
        )}
      </Loaded>
      <Spread botId={bot.botId} range={range} />
      <List bot={bot} range={range} />
    </PageFrame>
  );
}
