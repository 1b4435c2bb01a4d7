/**
 * Reads a password or passphrase: typed twice without echo in a terminal, or the first line of a pipe. It is never a flag, because other users of
 * the machine see flags and the shell stores them.
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { Refusal } from '../errors.ts';

const pipedLengthMax = 10_000;

/** `what`: "password" or "passphrase". `isNew`: it is typed twice. */
export type PasswordOptions = { what?: string; isNew?: boolean };

/** Throws Refusal INPUT_INVALID if the two differ, the input is empty, or the user presses Ctrl-C. */
export async function readPassword(
  input: ReadStream,
  prompts: NodeJS.WritableStream,
  { what = 'password', isNew = true }: PasswordOptions = {},
): Promise<string> {
  if (!input.isTTY) return readPiped(input, what);
  const password = await ask(`${what[0]?.toUpperCase()}${what.slice(1)}: `, { what, input, prompts });
  if (!isNew) return password;
  const repeated = await ask(`Repeat ${what}: `, { what, input, prompts });
  if (password === repeated) return password;
  throw new Refusal('INPUT_INVALID', `The ${what}s do not match.`);
}

async function ask(
  prompt: string,
  { what, input, prompts }: { what: string; input: ReadStream; prompts: NodeJS.WritableStream },
): Promise<string> {
  // Discards the echo.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output, terminal: true });
  const aborted = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => reject(new Refusal('INPUT_INVALID', 'Nothing was changed.')));
    lines.once('close', () => reject(new Refusal('INPUT_INVALID', `No ${what} was entered.`)));
  });
  prompts.write(prompt);
  try {
    return await Promise.race([lines.question(''), aborted]);
  } finally {
    lines.close();
    prompts.write('\n');
  }
}

async function readPiped(input: NodeJS.ReadableStream, what: string): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk;
    if (text.length > pipedLengthMax) break;
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line !== '') return line;
  throw new Refusal('INPUT_INVALID', `No ${what} was entered. Type it in a terminal, or pipe one line in.`);
}
