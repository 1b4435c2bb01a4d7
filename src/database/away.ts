/**
 * Errors that mean "the server is not there now": it starts, stops, was killed, or cannot be reached. The same call may succeed
 * later.
 */

/** PostgreSQL starts or stops, or has no free connection. */
const busyCodes = new Set(['57P01', '57P02', '57P03', '53300']);
/** There is no connection, or it was lost. */
const connectionCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'CONNECTION_CLOSED', 'CONNECT_TIMEOUT'],
  ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);

/** True when PostgreSQL itself answered that it is not ready. */
export function isBusy(error: unknown): boolean {
  return busyCodes.has(codeOf(error));
}

/** True when PostgreSQL is not ready or cannot be reached. */
export function isAway(error: unknown): boolean {
  return isBusy(error) || connectionCodes.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
