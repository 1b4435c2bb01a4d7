/** Rewards: the catalogue of gifts, and all grants with their redemptions. */
import { useState } from 'preact/hooks';
import { PageFrame } from '../../components/page.tsx';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { Catalogue } from './catalogue.tsx';
import { Grants } from './grants.tsx';

export default function RewardsPage({ bot }: PageProps) {
  // A change of one card changes the numbers of the other.
  const [changes, setChanges] = useState(0);
  const onChanged = (): void => setChanges((count) => count + 1);
  return (
    <PageFrame title={frame('rewards')}>
      <Catalogue bot={bot} changes={changes} />
      <Grants bot={bot} onChanged={onChanged} />
    </PageFrame>
  );
}
