/** Conversations: numbers, averages, distributions, and the list. */
import { NoChannels } from '../../components/no-channels.tsx';
import { PageFrame } from '../../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../../components/range-picker.tsx';
import { Loaded } from '../../components/states.tsx';
import type { PageProps } from '../../state/bots.ts';
import { platformsOf, useOverview } from '../../state/overview.ts';
import { t as frame } from '../../texts/frame.ts';
import { Averages, ByDay } from './by-day.tsx';
import { Distribution } from './distribution.tsx';
import { List } from './list.tsx';

export default function ConversationsPage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const live = useOverview(bot, range);
  const hasChannels = live.value === null || platformsOf(live.value).length > 0;
  return (
    <PageFrame
      title={frame('conversations')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker bot={bot} isCompared />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => (
          <>
            <Averages bot={bot} overview={overview} />
            {platformsOf(overview).length === 0 ? <NoChannels bot={bot} /> : <ByDay overview={overview} />}
          </>
        )}
      </Loaded>
      {hasChannels && (
        <>
          <Distribution botId={bot.botId} range={range} />
          <List bot={bot} range={range} />
        </>
      )}
    </PageFrame>
  );
}
