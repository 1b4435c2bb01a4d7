/**
 * Outages: errors that mean that the database cannot be reached, refuses connections or does not answer.
 */
import type { Logger } from 'pino';

const codes: ReadonlySet<string> = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
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

/** Whether an error of a statement means an outage, not a wrong statement. */
export function isOutage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code, syscall, severity } = error as Error & { code?: string; syscall?: string; severity?: string };
  if (code !== undefined && codes.has(code)) return true;
  if (syscall !== undefined) return socketCalls.has(syscall);
  // PostgreSQL ends the connection with such an error: it starts, stops, or takes no more connections.
  return severity === 'FATAL' || severity === 'PANIC';
}

const loggedAt = new WeakMap<object, number>();

/** Logs an outage in one line, at most every 10 s, however many calls it fails. */
export function logOutage(log: Pick<Logger, 'error'>, { message }: Error): void {
  const now = performance.now();
  if (now - (loggedAt.get(log) ?? Number.NEGATIVE_INFINITY) < logPauseMs) return;
  loggedAt.set(log, now);
  log.error(`the database is unavailable, calls are refused: ${message}`);
}
