/**
 * Pseudo-random bytes from a seed, so that a test's ids are the same in every run.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../../src/random.ts';

export function seededBytes(seed: number): Random {
  let block = 0;
  return (size) => {
    const blocks: Buffer[] = [];
    for (let filled = 0; filled < size; filled += 32) {
      blocks.push(createHash('sha256').update(`${seed} ${block++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, size);
  };
}
