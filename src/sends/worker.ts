/**
 * Looks for due sends and works on their lanes, a few at a time.
 */
import type { Logger } from 'pino';
import { DueWork } from '../database/due-work.ts';
import { secondMs } from '../time.ts';
import { type JobOptions, workLane } from './job.ts';
import { type Lane, lanesWithDue } from './lanes.ts';

export type WorkerOptions = Omit<JobOptions, 'isStopped'> & { log: Pick<Logger, 'error'> };

const lanesMax = 16;
const looksMax = 100;

/** Starts the work on sends. Its stop waits for running calls to platforms; the rest of the sends continues in another process. */
export function startSendWork(options: WorkerOptions): DueWork<Lane> {
  const { sql, clock, log } = options;
  return new DueWork({
    ...{ name: 'sends', atOnce: lanesMax, lookMs: secondMs, clock, log },
    async look() {
      const lanes = await lanesWithDue(sql, { now: clock(), limit: looksMax });
      return lanes.map((lane) => ({ item: lane, key: `${lane.botId} ${lane.platform}`, dueAt: 0 }));
    },
    work: (lane, isStopped) => workLane(lane, { ...options, isStopped }),
  });
}
