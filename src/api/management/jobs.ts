/**
 * Operations on jobs: work that continues after the call that started it.
 */
import { findJob, type Job, listJobs, stopJob } from '../../jobs/jobs.ts';
import { withIsoDates } from '../iso.ts';
import { Accepted, type Call, type Operations, type Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

export function jobOperations({ sql, clock }: Sources) {
  const keyOf = ({ bot: { botId }, params: { jobId } }: Pick<Call<'getJob'>, 'bot' | 'params'>) => ({
    botId,
    jobId,
  });
  return {
    async listJobs({ bot: { botId }, query }) {
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ jobId: isSerial }),
        ({ after, limit }) => listJobs(sql, botId, { limit, beforeId: after?.jobId ?? null }),
      );
      return { jobs: rows.map(shownJob), nextCursor };
    },
    getJob: async (call) => shownJob(await findJob(sql, keyOf(call))),
    stopJob: async (call) => shownJob(await stopJob(sql, keyOf(call), { clock })),
  } satisfies Partial<Operations>;
}

/** The answer 202 of a call whose work continues in a job. */
export function acceptedJob<Body>({ botId, jobId }: Job, body: Body): Accepted<Body> {
  return new Accepted(`/api/v1/bots/${botId}/jobs/${jobId}`, body);
}

export function shownJob({ botId: _, failure, ...job }: Job) {
  return { ...withIsoDates(job), failure: failure && withIsoDates(failure) };
}
