/**
 * Memory of ended work that collections of young objects do not free.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major' }) => void;

/** Runs rounds of work, with collections of young objects in between. Returns the growth of the old objects in bytes. */
export async function promotedBytes(rounds: number, work: () => Promise<void> | void): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: Collect = runInNewContext('gc');
  collect({ type: 'major' });
  const bytesBefore = oldBytes();
  for (let round = 0; round < rounds; round += 1) {
    await work();
    collect({ type: 'minor' });
  }
  return oldBytes() - bytesBefore;
}

function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name === 'old_space' || name === 'large_object_space')
    .reduce((sum, { space_used_size: used }) => sum + used, 0);
}
