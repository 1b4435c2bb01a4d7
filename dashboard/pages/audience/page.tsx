/** The audience: its daily growth, its demographics on LINE, and its tags. */
import { PageFrame } from '../../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../../components/range-picker.tsx';
import { Loaded } from '../../components/states.tsx';
import type { PageProps } from '../../state/bots.ts';
import { platformsOf, useOverview } from '../../state/overview.ts';
import { t as frame } from '../../texts/frame.ts';
import { Demographics } from './demographics.tsx';
import { Growth } from './growth.tsx';
import { Tags } from './tags.tsx';

export default function AudiencePage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const live = useOverview(bot, range);
  return (
    <PageFrame
      title={frame('audience')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker bot={bot} isCompared />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => (
          <>
            <Growth bot={bot} overview={overview} />
            {platformsOf(overview).includes('line') && <Demographics botId={bot.botId} />}
          </>
        )}
      </Loaded>
      <Tags botId={bot.botId} />
    </PageFrame>
  );
}
