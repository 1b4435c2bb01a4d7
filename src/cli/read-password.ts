/**
 * A password for a command: typed twice in a terminal, which does not show it, or the first line of what is piped in. Never a
 * flag: other users of the machine see those, and the shell keeps them.
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { Refusal } from '../errors.ts';

const pipedLengthMax = 10_000;

/** Asks on `show`. Throws Refusal INPUT_INVALID when the two differ, none comes, or it is broken off. */
export async function readPassword(input: ReadStream, show: NodeJS.WritableStream): Promise<string> {
  if (!input.isTTY) return readPiped(input);
  const password = await ask('Password: ', input, show);
  const again = await ask('Once more: ', input, show);
  if (password === again) return password;
  throw new Refusal('INPUT_INVALID', 'The two passwords are not the same.');
}

async function ask(question: string, input: ReadStream, show: NodeJS.WritableStream): Promise<string> {
  // What is typed is echoed to nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output, terminal: true });
  const brokenOff = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => reject(new Refusal('INPUT_INVALID', 'Nothing was changed.')));
    lines.once('close', () => reject(new Refusal('INPUT_INVALID', 'There was no password.')));
  });
  show.write(question);
  try {
    return await Promise.race([lines.question(''), brokenOff]);
  } finally {
    lines.close();
    show.write('\n');
  }
}

async function readPiped(input: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of input.setEncoding('utf8')) {
    text += piece;
    if (text.length > pipedLengthMax) break;
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line !== '') return line;
  throw new Refusal('INPUT_INVALID', 'There was no password: type it in a terminal, or pipe one line in.');
}
