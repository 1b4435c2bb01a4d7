/** Messages: received and sent by day and platform, LINE's by kind and against the quota, and hours of the week. */
import { NoChannels } from '../../components/no-channels.tsx';
import { PageFrame } from '../../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../../components/range-picker.tsx';
import { Loaded } from '../../components/states.tsx';
import type { PageProps } from '../../state/bots.ts';
import { platformsOf, useOverview } from '../../state/overview.ts';
import { t as frame } from '../../texts/frame.ts';
import { BothDirections, ByDay } from './by-day.tsx';
import { ByKind } from './by-kind.tsx';
import { Hours } from './hours.tsx';
import { Quota } from './quota.tsx';

export default function MessagesPage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const live = useOverview(bot, range);
  return (
    <PageFrame
      title={frame('messages')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker bot={bot} isCompared />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => {
          const platforms = platformsOf(overview);
          return (
            <>
              <BothDirections overview={overview} />
              {platforms.length === 0 ? <NoChannels bot={bot} /> : <ByDay overview={overview} />}
              {platforms.includes('line') && (
                <>
                  <Quota botId={bot.botId} />
                  <ByKind botId={bot.botId} range={range} />
                </>
              )}
              {platforms.length > 0 && <Hours botId={bot.botId} range={range} />}
            </>
          );
        }}
      </Loaded>
    </PageFrame>
  );
}
