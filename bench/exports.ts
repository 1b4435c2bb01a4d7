/**
 * The CSV of many contacts with tags and points, from the management API and from `shoal export`. Compared with `COPY … TO STDOUT` of
 * the same query through the same client, which discards the bytes.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import { findBot } from '../src/bots/bots.ts';
import type { Fragment, Sql, Transaction } from '../src/database/client.ts';
import { contactsQuery } from '../src/exports/contacts.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { seedPoints, tagSome } from './seed.ts';
import { watchMemory } from './watch.ts';

const memoryMbMax = 200;

/** Row 9. Throws if the file does not contain each contact once, or COPY returns other rows. */
export async function measureExports({ stage, plan, say }: Measuring): Promise<Line[]> {
  const { sql } = stage;
  const now = Date.now();
  const contacts = plan.contactsWithPoints;
  const { botId } = await stage.addBot('exports');
  say(`seeding ${contacts} contacts with points and tags`);
  await seedPoints(sql, botId, contacts, now);
  await tagSome(sql, botId, new Date(now));
  await sql`vacuum analyze`;
  const asked = { name: 'bench', scope: 'write' as const, botIds: [botId] };
  const { token } = await createAdminToken(sql, asked, { now, random: randomBytes });
  const query = await literalQuery(sql, botId, now);
  const values: number[] = [];
  const references: number[] = [];
  const ofServer: number[] = [];
  const ofCommand: number[] = [];
  await stage.settle();
  for (let run = 0; run < plan.runs; run++) {
    references.push(await rate(contacts, () => copyOut(sql, query)));
    // Each run has its own process, so that its memory is that of the export.
    const server = await stage.startServer();
    const serverMemory = watchMemory(server.pid);
    try {
      const url = `${server.address}/api/v1/bots/${botId}/exports/contacts?format=csv`;
      // The first export of a process also opens a connection and compiles code, 0.1 s for any number of contacts.
      await download(url, token);
      values.push(await rate(contacts, () => download(url, token)));
    } finally {
      ofServer.push(Math.max(...(await serverMemory.end())));
      await server.stop();
    }
    ofCommand.push(await memoryOfCommand(stage.dataFolder, botId, contacts));
    say(`export ${Math.round(values.at(-1) ?? 0)}/s, COPY ${Math.round(references.at(-1) ?? 0)}/s`);
  }
  const what = `contacts exported as CSV, of ${contacts.toLocaleString('en-US')} with tags and points`;
  return [
    {
      what,
      unit: '/s',
      values,
      against: { what: 'COPY … TO STDOUT of the same query through the same client', values: references },
      ratios: values.map((value, run) => value / (references[run] ?? 0)),
      target: { statistic: 'median', sense: 'at least', bound: 0.75 },
    },
    {
      what: 'memory of `shoal export` writing the same, sampled each second, largest of the run',
      unit: 'MB',
      values: ofCommand,
      target: { statistic: 'max', sense: 'at most', bound: memoryMbMax },
    },
    {
      what: 'memory of the whole server while it answers the same',
      unit: 'MB',
      values: ofServer,
    },
  ];
}

/** Rows per second of a function that returns the number of received lines. */
async function rate(rows: number, run: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const lines = await run();
  if (lines !== rows) throw new Error(`${lines} lines came instead of ${rows}`);
  return rows / ((performance.now() - startedAt) / 1_000);
}

async function download(url: string, token: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200 || response.body === null)
    throw new Error(`${response.status}: ${await response.text()}`);
  // Excludes the header line.
  return (await countLines(response.body)) - 1;
}

/** The largest resident memory in MB of `shoal export` while it writes the contacts to a pipe. */
async function memoryOfCommand(dataFolder: string, botId: string, contacts: number): Promise<number> {
  const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
  const args = ['--max-semi-space-size=8', program, 'export', botId, 'contacts', '--data', dataFolder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const memory = watchMemory(child.pid ?? 0);
  const lines = await countLines(child.stdout);
  const seen = await memory.end();
  if (lines !== contacts + 1) throw new Error(`shoal export wrote ${lines} lines`);
  return Math.max(...seen);
}

async function copyOut(sql: Sql, query: string): Promise<number> {
  return countLines(await sql.unsafe(`copy (${query}) to stdout`).readable());
}

async function countLines(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const lineFeed = 10;
  let lines = 0;
  for await (const piece of pieces) {
    for (let at = piece.indexOf(lineFeed); at !== -1; at = piece.indexOf(lineFeed, at + 1)) lines++;
  }
  return lines;
}

/** The query of the export as text, because COPY has no parameters. */
async function literalQuery(sql: Sql, botId: string, now: number): Promise<string> {
  const bot = await findBot(sql, botId);
  const all = { from: null, to: null, since: null, until: null, sendId: null, state: null, contacts: null };
  const scope = { bot, ...all, now };
  // Replaces the client's template tag: parameters become literals, names are quoted, fragments are inserted.
  const tag = ((strings: string | TemplateStringsArray, ...given: unknown[]) => {
    if (typeof strings === 'string')
      return new Text(
        strings
          .split('.')
          .map((name) => `"${name}"`)
          .join('.'),
      );
    return new Text(strings.reduce((text, piece, index) => text + literal(given[index - 1]) + piece));
  }) as unknown as Transaction;
  return String(contactsQuery.select(tag, contactsQuery.source(tag, scope) as Fragment, scope));
}

class Text {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

function literal(value: unknown): string {
  if (value instanceof Text) return String(value);
  if (value instanceof Date) return `'${value.toISOString()}'`;
  if (Array.isArray(value)) return `'{${value.join(',')}}'`;
  if (typeof value === 'string') return `'${value}'`;
  throw new Error(`no literal is known for ${String(value)}`);
}
