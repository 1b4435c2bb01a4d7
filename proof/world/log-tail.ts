/** The end of a server's log, for the record of a failure. */

const linesMax = 30;
const lineCharactersMax = 2_000;
const warningLevel = 40;

/** The last warnings and errors, and other texts such as stacks. `secrets` are replaced, in case that a line contains one. */
export function tailOf(log: string, secrets: readonly string[]): string[] {
  const lines = log.split('\n').filter((line) => line !== '' && !isInformation(line));
  return lines.slice(-linesMax).map((line) => {
    const text = secrets.reduce((left, secret) => left.replaceAll(secret, '[secret]'), line);
    return text.slice(0, lineCharactersMax);
  });
}

function isInformation(line: string): boolean {
  const [, level] = /^\{"level":(\d+),/.exec(line) ?? [];
  return level !== undefined && Number(level) < warningLevel;
}
