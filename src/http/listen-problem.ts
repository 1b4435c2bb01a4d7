/** The remedy if a server cannot listen at its address. */
import { Refusal } from '../errors.ts';

const problems: Record<string, string> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'requires system privileges',
  EADDRNOTAVAIL: 'is not an address of this machine',
};

/** Returns the error to throw after a failure to listen: Refusal INPUT_INVALID if another address is the remedy. */
export function listenProblem(
  error: unknown,
  { host, port, flag }: { host: string; port: number; flag: string },
): unknown {
  const problem = error instanceof Error && 'code' in error ? problems[String(error.code)] : undefined;
  if (problem === undefined) return error;
  return new Refusal('INPUT_INVALID', `${host}:${port} ${problem}. Use another --${flag} or --host.`);
}
