/**
 * `shoal job`: long work that continues after the command or call that started it.
 */
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { findJob, type Job, listJobs, runJob, stopJob } from '../jobs/jobs.ts';
import { renderLine, renderList, type ShoalCommand, wholeNumber } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';

const listedMax = 100;

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const job = program.add('job', 'Long-running jobs: list, run, stop.');
  job
    .addForBot('list', `List the last ${listedMax} jobs of a bot, newest first.`)
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const jobs = await listJobs(sql, botId, { limit: listedMax, beforeId: null });
      return { json: { botId, jobs }, text: renderList(jobs, renderJob) };
    });
  job
    .addForBot(
      'run',
      'Work on a job until it ends, and show its progress. A running server works on it, too.',
    )
    .argument('<job>', 'its number', wholeNumber)
    .answer((botId: string, jobId: number) => async (sql) => {
      const ended = await workOn(context, sql, await findJob(sql, { botId, jobId }));
      return { json: ended, text: renderJob(ended) };
    });
  job
    .addForBot('stop', 'Stop a job. Finished steps are not undone.')
    .argument('<job>', 'its number', wholeNumber)
    .answer((botId: string, jobId: number) => async (sql) => {
      const stopped = await stopJob(sql, { botId, jobId }, context);
      return { json: stopped, text: renderJob(stopped) };
    });
}

/** Works on a job until it ends, with progress. If the command is killed, a running server or `shoal job run` continues it. */
export function workOn(context: CommandContext, sql: Sql, job: Job): Promise<Job> {
  return withProgress(context, 'deliveries', (progress) =>
    runJob(sql, job, context, { onStep: ({ done, total }) => progress(done, total) }),
  );
}

function renderJob({ jobId, kind, contactId, state, done, total, updatedAt, failure }: Job): string {
  return renderLine(
    jobId,
    kind,
    contactId,
    state,
    `${done} of ${total} deliveries`,
    updatedAt.toISOString(),
    failure &&
      `attempt ${failure.attempts} failed: ${failure.message}; next attempt ${failure.retryAt.toISOString()}`,
  );
}
