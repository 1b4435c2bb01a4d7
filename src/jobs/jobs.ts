/**
 * Jobs: work on one bot that takes longer than one call, done in bounded steps.
 *
 * The row of a job stores its progress. A step holds the row's lock, so one process at a time works on a job. A killed step rolls
 * back, and any process continues: the call that began the job, a server's background work, or the command line. Steps are safe to
 * repeat.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fragment, Queryable, Sql } from '../database/client.ts';
import { isOutage } from '../database/outage.ts';
import { Refusal } from '../errors.ts';
import { countSetAside, replayDeliveries, setAsideIds } from '../inbox/deliveries.ts';
import { forgetStep, planForgetting } from '../privacy/forget-contact.ts';
import type { Random } from '../random.ts';
import { type Clock, dayMs, minuteMs, secondMs } from '../time.ts';

export type JobKind = 'forget' | 'replay';
export type JobState = 'running' | 'done' | 'stopped';

export type Job = {
  botId: string;
  jobId: number;
  kind: JobKind;
  /** The contact to delete; null for a replay. */
  contactId: string | null;
  state: JobState;
  /** Processed deliveries, and their approximate total. */
  done: number;
  total: number;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
  /** Of the last background step; null: it succeeded. */
  failure: JobFailure | null;
};

/** Why a step failed, and when it is retried. */
export type JobFailure = { message: string; attempts: number; failedAt: Date; retryAt: Date };

export type JobOptions = { clock: Clock; random: Random };

type Row = Omit<Job, 'failure'> & { afterId: number; upToId: number } & (
    | JobFailure
    | { message: null; attempts: 0; failedAt: null; retryAt: null }
  );
type Progress = Pick<Row, 'done' | 'total' | 'afterId' | 'upToId'>;

const replayBatch = 1_000;
const stepsMax = 8;
const callMsMax = 2_000;
const endedDays = 30;
const heldPauseMs = 100;

/** Starts the deletion of a contact, or finds the running job for it. Throws Refusal BOT_NOT_FOUND, CONTACT_NOT_FOUND. */
export async function startForgetting(
  sql: Sql,
  contact: { botId: string; contactId: string },
  { clock }: JobOptions,
): Promise<Job> {
  const plan = await planForgetting(sql, contact, { now: clock() });
  return start(sql, { ...contact, ...plan, kind: 'forget' }, clock());
}

/** Starts to replay the bot's deliveries that are set aside now, or finds the running job for it. */
export async function startReplay(sql: Sql, botId: string, { clock }: JobOptions): Promise<Job> {
  const { count, lastId } = await countSetAside(sql, botId);
  const plan = { botId, kind: 'replay' as const, contactId: null, upToId: lastId, total: count };
  return start(sql, plan, clock());
}

async function start(
  sql: Sql,
  job: Pick<Row, 'botId' | 'kind' | 'contactId' | 'upToId' | 'total'>,
  now: number,
): Promise<Job> {
  const at = new Date(now);
  const [row] = await sql.begin(
    (tx) => tx<Row[]>`
    insert into jobs as job (bot_id, kind, contact_id, upto_id, total, created_at, updated_at)
    values (${job.botId}, ${job.kind}, ${job.contactId}, ${job.upToId}, ${job.total}, ${at}, ${at})
    on conflict (bot_id, kind, coalesce(contact_id, '')) where state = 'running'
    do update set upto_id = greatest(job.upto_id, excluded.upto_id)
    returning ${columns(tx)}`,
  );
  if (!row) throw new Error('a new job has no row');
  return toJob(row);
}

/**
 * Does the next step of a running job in a transaction that holds its row. Returns the job after it; null: another process holds the
 * job, or it has ended.
 */
export async function stepJob(
  sql: Sql,
  { botId, jobId }: Pick<Job, 'botId' | 'jobId'>,
  { clock, random }: JobOptions,
): Promise<Job | null> {
  return oneAtATime(
    sql,
    () =>
      sql.begin(async (tx) => {
        const [job] = await tx<Row[]>`
      select ${columns(tx)} from jobs
      where bot_id = ${botId} and job_id = ${jobId} and state = 'running' for update skip locked`;
        if (!job) return null;
        const next = await steps[job.kind](sql, job, { clock, random });
        const progress = next ?? {
          ...job,
          done: Math.max(job.done, job.total),
          total: Math.max(job.done, job.total),
        };
        const at = new Date(clock());
        const [row] = await tx<Row[]>`
      update jobs set done = ${progress.done}, total = ${progress.total}, after_id = ${progress.afterId},
        upto_id = ${progress.upToId}, updated_at = ${at}, state = ${next === null ? 'done' : 'running'},
        ended_at = ${next === null ? at : null}, ${noFailure(tx)}
      where bot_id = ${botId} and job_id = ${jobId} returning ${columns(tx)}`;
        return row ? toJob(row) : null;
      }) as Promise<Job | null>,
  );
}

const lastSteps = new WeakMap<Sql, Promise<unknown>>();

/** A step holds one connection of the pool and uses others. Parallel steps could wait for each other's connections. */
function oneAtATime<T>(sql: Sql, step: () => Promise<T>): Promise<T> {
  const before = lastSteps.get(sql) ?? Promise.resolve();
  const result = before.then(step, step);
  lastSteps.set(sql, result);
  return result;
}

/** The step of each kind. Null: the job is done. */
const steps: Record<JobKind, (sql: Sql, job: Row, options: JobOptions) => Promise<Progress | null>> = {
  async forget(sql, { botId, contactId, ...progress }, { clock, random }) {
    const options = { now: clock(), random };
    const next = await forgetStep(sql, { botId, contactId: contactId ?? '' }, progress, options);
    return next && { ...progress, ...next };
  },
  async replay(sql, { botId, done, total, afterId, upToId }) {
    const ids = await setAsideIds(sql, botId, { afterId, upToId, limit: replayBatch });
    const last = ids.at(-1);
    if (last === undefined) return null;
    const replayed = done + (await replayDeliveries(sql, botId, ids));
    return { done: replayed, total: Math.max(total, replayed), afterId: last, upToId };
  },
};

/**
 * Works on a job until it has ended or `until` returns true; calls `onStep` after each step. Waits while another process works on
 * the job. Returns its last state.
 */
export async function runJob(
  sql: Sql,
  job: Job,
  options: JobOptions,
  { until = () => false, onStep }: { until?: (steps: number) => boolean; onStep?: (job: Job) => void } = {},
): Promise<Job> {
  let current = job;
  for (let count = 0; current.state === 'running' && !until(count); count += 1) {
    const stepped = await stepJob(sql, job, options);
    if (stepped === null) await pause(heldPauseMs);
    current = stepped ?? (await findJob(sql, job));
    onStep?.(current);
  }
  return current;
}

/**
 * Works on a job for at most 2 s, the duration of a call. A step that waits longer, for a lock or for the steps of other calls, goes
 * on after the call, and background work does the rest. If that step fails, background work repeats it and reports the failure.
 */
export async function runJobWithinCall(sql: Sql, job: Job, options: JobOptions): Promise<Job> {
  const startedAt = performance.now();
  const ended = runJob(sql, job, options, {
    until: (count) => count >= stepsMax || performance.now() - startedAt > callMsMax,
  });
  const late = new AbortController();
  const lateJob = pause(callMsMax, undefined, { signal: late.signal }).then(() => findJob(sql, job));
  try {
    return await Promise.race([ended, lateJob]);
  } finally {
    late.abort();
  }
}

/**
 * Does one step of the job that waited longest, of any bot. False: all jobs have ended, are paused after failures, or are held by
 * other processes. The failure of a step is stored with the job, reported to `failed`, and retried after a growing pause. An outage
 * of the database is thrown.
 */
export async function stepAnyJob(
  sql: Sql,
  options: JobOptions,
  { failed }: { failed(error: unknown, failure: Pick<Job, 'botId' | 'jobId'> & JobFailure): void },
): Promise<boolean> {
  const jobs = await sql<(Pick<Job, 'botId' | 'jobId'> & { attempts: number })[]>`
    select bot_id as "botId", job_id as "jobId", attempts from jobs
    where state = 'running' and (retry_at is null or retry_at <= ${new Date(options.clock())})
    order by updated_at limit 10`;
  for (const { attempts, ...job } of jobs) {
    try {
      if ((await stepJob(sql, job, options)) === null) continue;
      return true;
    } catch (error) {
      if (isOutage(error)) throw error;
      const failure = failureOf(error, { attempts: attempts + 1, now: options.clock() });
      await putFailure(sql, job, failure);
      failed(error, { ...job, ...failure });
    }
  }
  return false;
}

const firstPauseMs = secondMs;
const pauseMsMax = minuteMs;

function failureOf(error: unknown, { attempts, now }: { attempts: number; now: number }): JobFailure {
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempts - 1), pauseMsMax);
  return { message: messageOf(error), attempts, failedAt: new Date(now), retryAt: new Date(now + pauseMs) };
}

async function putFailure(
  sql: Sql,
  { botId, jobId }: Pick<Job, 'botId' | 'jobId'>,
  { message, attempts, failedAt, retryAt }: JobFailure,
): Promise<void> {
  await sql`
    update jobs set failure = ${message}, attempts = ${attempts}, failed_at = ${failedAt}, retry_at = ${retryAt}
    where bot_id = ${botId} and job_id = ${jobId} and state = 'running'`;
}

function noFailure(sql: Queryable) {
  return sql`failure = null, attempts = 0, failed_at = null, retry_at = null`;
}

/** Error messages can contain data, so only those of refusals are shown. */
function messageOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : '';
  return `${error instanceof Error ? error.name : 'unknown error'}${code}; the log has the details`;
}

/** The job. Throws Refusal JOB_NOT_FOUND. */
export async function findJob(sql: Queryable, { botId, jobId }: Pick<Job, 'botId' | 'jobId'>): Promise<Job> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from jobs where bot_id = ${botId} and job_id = ${jobId}`;
  if (row) return toJob(row);
  throw new Refusal('JOB_NOT_FOUND', `Bot ${botId} has no job ${jobId}.`);
}

/** A page of the bot's jobs, newest first: those before `beforeId` if it is set. */
export async function listJobs(
  sql: Queryable,
  botId: string,
  { limit, beforeId }: { limit: number; beforeId: number | null },
): Promise<Job[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from jobs
    where bot_id = ${botId} ${beforeId === null ? sql`` : sql`and job_id < ${beforeId}`}
    order by job_id desc limit ${limit}`;
  return rows.map(toJob);
}

/** Stops a job after its running step. Finished steps stay. Safe to repeat. Throws Refusal JOB_NOT_FOUND. */
export async function stopJob(
  sql: Sql,
  job: Pick<Job, 'botId' | 'jobId'>,
  { clock }: Pick<JobOptions, 'clock'>,
): Promise<Job> {
  const at = new Date(clock());
  await sql.begin(
    (tx) => tx`
    update jobs set state = 'stopped', updated_at = ${at}, ended_at = ${at}, ${noFailure(tx)}
    where bot_id = ${job.botId} and job_id = ${job.jobId} and state = 'running'`,
  );
  return findJob(sql, job);
}

/** Deletes jobs that ended more than 30 days ago. Safe to repeat. */
export async function purgeJobs(sql: Queryable, botId: string, { now }: { now: number }): Promise<void> {
  await sql`delete from jobs where bot_id = ${botId} and ${isOldJob(sql, { now })}`;
}

/** For queries over `jobs`: true for jobs that `purgeJobs` deletes. */
export function isOldJob(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`ended_at < ${new Date(now - endedDays * dayMs)}`;
}

function columns(sql: Queryable) {
  return sql`bot_id as "botId", job_id as "jobId", kind, contact_id as "contactId", state, done, total, after_id as "afterId",
    upto_id as "upToId", created_at as "createdAt", updated_at as "updatedAt", ended_at as "endedAt", failure as message, attempts,
    failed_at as "failedAt", retry_at as "retryAt"`;
}

function toJob({ afterId: _, upToId: _upTo, message, attempts, failedAt, retryAt, ...job }: Row): Job {
  return { ...job, failure: message === null ? null : { message, attempts, failedAt, retryAt } };
}
