/**
 * Outages: errors of a database that is starting, stopping, killed, unreachable or silent, or has no space.
 */
import type { Logger } from 'pino';

/** PostgreSQL starts or stops, or has no free connection. */
const busyCodes: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '53300']);
/** No disk space, memory or other resource (PostgreSQL's class 53). */
const shortageCode = /^53/;
/** No connection, or it was lost. */
const connectionCodes: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'CONNECTION_CLOSED', 'CONNECT_TIMEOUT'],
  ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
/** This process closed the connection. */
const droppedCodes: ReadonlySet<string> = new Set([
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'DATABASE_SILENT',
]);
const socketCalls: ReadonlySet<string> = new Set(['connect', 'read', 'write', 'getaddrinfo']);
const logPauseMs = 10_000;

/** The database did not answer in time. */
export function databaseSilent(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'DATABASE_SILENT' });
}

/** True if PostgreSQL answered that it is not ready. */
export function isBusy(error: unknown): boolean {
  return busyCodes.has(codeOf(error));
}

/** True if PostgreSQL is not ready or unreachable, so that the same call can succeed later. */
export function isAway(error: unknown): boolean {
  return isBusy(error) || connectionCodes.has(codeOf(error));
}

/** True if the error of a statement is an outage, not a wrong statement. */
export function isOutage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { syscall, severity } = error as Error & { syscall?: string; severity?: string };
  // A missing file and a missing socket have the same code.
  if (syscall !== undefined) return socketCalls.has(syscall);
  const code = codeOf(error);
  if (isAway(error) || droppedCodes.has(code) || shortageCode.test(code)) return true;
  // PostgreSQL ends the connection with such an error when it starts, stops, or has no free connections.
  return severity === 'FATAL' || severity === 'PANIC';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const loggedAt = new WeakMap<object, number>();

/** Logs a failure of background work: an outage with `logOutage`, other errors with their stack. */
export function logFailure(log: Pick<Logger, 'error'>, error: unknown, message: string): void {
  if (isOutage(error)) logOutage(log, error);
  else log.error({ err: error }, message);
}

/** Logs an outage in one line, at most every 10 s for each log. */
export function logOutage(log: Pick<Logger, 'error'>, { message }: Error): void {
  const now = performance.now();
  if (now - (loggedAt.get(log) ?? Number.NEGATIVE_INFINITY) < logPauseMs) return;
  loggedAt.set(log, now);
  log.error(`the database is unavailable: ${message}`);
}
