/**
 * Operations on jobs: work that goes on after the call that began it.
 */
import { findJob, type Job, listJobs, stopJob } from '../../jobs/jobs.ts';
import type { JsonObject } from '../../json.ts';
import {
  Accepted,
  isoOf,
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
} from './call.ts';

export function jobOperations({ sql, clock }: ManagementSources): ManagementOperations {
  const keyOf = ({ bot: { botId }, params }: ManagementCall) => ({ botId, jobId: Number(params.jobId) });
  return {
    async listJobs({ bot: { botId }, query }) {
      const limit = limitOf(query);
      const beforeId = readCursor(query, (place) =>
        Number.isSafeInteger(place.jobId) ? Number(place.jobId) : null,
      );
      const jobs = await listJobs(sql, botId, { limit: limit + 1, beforeId });
      const { rows, nextCursor } = pageOf(jobs, limit, ({ jobId }) => ({ jobId }));
      return { jobs: rows.map(shownJob), nextCursor };
    },
    getJob: async (call) => shownJob(await findJob(sql, keyOf(call))),
    stopJob: async (call) => shownJob(await stopJob(sql, keyOf(call), { clock })),
  };
}

/** The answer to a call whose work goes on: 202, with the job and its address. */
export function acceptedJob(job: Job, beside: JsonObject): Accepted {
  const location = `/api/v1/bots/${job.botId}/jobs/${job.jobId}`;
  return new Accepted(location, { ...beside, job: shownJob(job) });
}

function shownJob({
  jobId,
  kind,
  contactId,
  state,
  done,
  total,
  createdAt,
  updatedAt,
  endedAt,
  failure,
}: Job) {
  return {
    ...{ jobId, kind, contactId, state, done, total },
    createdAt: isoOf(createdAt.getTime()),
    updatedAt: isoOf(updatedAt.getTime()),
    endedAt: endedAt && isoOf(endedAt.getTime()),
    failure: failure && {
      ...{ message: failure.message, attempts: failure.attempts },
      failedAt: isoOf(failure.failedAt.getTime()),
      retryAt: isoOf(failure.retryAt.getTime()),
    },
  };
}
