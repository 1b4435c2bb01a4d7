/**
 * `shoal job`: work that goes on after the command or call that began it. Shown, watched, stopped.
 */
import { Command, InvalidArgumentError } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { findJob, type Job, listJobs, runJob, stopJob } from '../jobs/jobs.ts';
import type { CommandContext } from './context.ts';
import { showProgress } from './progress.ts';

const listedMax = 100;

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const job = new Command('job').description('Work that takes long: list it, go on with it, stop it.');
  program.addCommand(job);
  job
    .command('list')
    .description(`List the last ${listedMax} jobs of a bot, newest first.`)
    .argument('<bot>', 'bot id')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { json }: { json?: boolean }) => {
      const jobs = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return listJobs(sql, botId, { limit: listedMax, beforeId: null });
      });
      const lines = jobs.length === 0 ? 'None.' : jobs.map(toText).join('\n');
      context.out(json ? JSON.stringify({ botId, jobs }) : lines);
    });
  addOne(job, context, {
    name: 'run',
    description: 'Work on a job until it ends, and show how far it is. A running server works on it, too.',
    act: async (sql, key) => workOn(context, sql, await findJob(sql, key)),
  });
  addOne(job, context, {
    name: 'stop',
    description: 'Stop a job. What is done stays done.',
    act: (sql, key) => stopJob(sql, key, context),
  });
}

function addOne(
  job: Command,
  context: CommandContext,
  {
    name,
    description,
    act,
  }: { name: string; description: string; act(sql: Sql, key: Pick<Job, 'botId' | 'jobId'>): Promise<Job> },
): void {
  job
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .argument('<job>', 'its number', wholeNumber)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, jobId: number, { json }: { json?: boolean }) => {
      const ended = await context.withDatabase((sql) => act(sql, { botId, jobId }));
      context.out(json ? JSON.stringify(ended) : toText(ended));
    });
}

/** Works on a job until it ends, and shows how far it is. A killed command leaves it to a running server, or to `shoal job run`. */
export async function workOn(context: CommandContext, sql: Sql, job: Job): Promise<Job> {
  const progress = showProgress(context, 'deliveries');
  try {
    return await runJob(sql, job, context, { told: ({ done, total }) => progress.update(done, total) });
  } finally {
    progress.stop();
  }
}

function toText({ jobId, kind, contactId, state, done, total, updatedAt, failure }: Job): string {
  const parts = [
    jobId,
    kind,
    contactId ?? '',
    state,
    `${done} of ${total} deliveries`,
    updatedAt.toISOString(),
    failure === null
      ? ''
      : `attempt ${failure.attempts} failed: ${failure.message}; next attempt ${failure.retryAt.toISOString()}`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('A whole number was expected.');
  return Number(text);
}
