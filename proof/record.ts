/**
 * The record of a run: JSON and a Markdown table in proof/results, one file for each run.
 */

import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../bench/report.ts';
import type { Count, Measure, Unavailable } from './part.ts';

export type PartRecord = {
  name: string;
  /** Seconds that the part took, with its checks. */
  seconds: number;
  counts: Count[];
  measures: Measure[];
  unavailable: Unavailable[];
  /** `state`: what the part describes when it fails, such as the ends of the servers' logs. */
  failure: { what: string; seed: number; input: unknown; state?: Record<string, unknown> } | null;
};

export type RunRecord = {
  /** The version of Shoal. */
  release: string;
  startedAt: string;
  command: string;
  seed: number;
  isQuick: boolean;
  machine: Machine;
  parts: PartRecord[];
};

const total = 'total';

/** The failure of a run that a signal ended: no check failed. */
export const interruption = 'interrupted';

/** The version in package.json. */
export function release(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** Writes the record as JSON and as Markdown. The name has the time and the parts, so no run replaces another. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const time = record.startedAt.slice(0, 19).replaceAll(':', '').replace('T', '-');
  const name = join(folder, [time, ...record.parts.map((part) => part.name)].join('-'));
  await writeFile(`${name}.json`, `${JSON.stringify(record, null, 2)}\n`);
  await writeFile(`${name}.md`, toMarkdown(record));
}

/** Reads a record that writeRecord has written. */
export async function readRecord(path: string): Promise<RunRecord> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** The page of one run. */
export function toMarkdown(record: RunRecord): string {
  const { release: version, startedAt, command, seed, machine } = record;
  const head = [
    `# Proof of ${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    '',
    `Shoal ${version}, seed ${seed}. ${machineText(machine)}`,
    '',
    `    ${command}`,
    '',
  ];
  const parts = record.parts.flatMap((part) => [`## ${part.name}`, '', ...partLines(part)]);
  return `${[...head, ...parts].join('\n').trimEnd()}\n`;
}

/** Describes the machine in one sentence. */
export function machineText({ cores, processor, memoryGb, node }: Machine): string {
  return `${cores} cores (${processor}), ${memoryGb} GB, Node ${node}; the load runs on the same cores.`;
}

function partLines(part: PartRecord): string[] {
  const { seconds, counts, measures, unavailable, failure } = part;
  return [
    ...(failure === null
      ? [`Passed in ${seconds} s.`]
      : failure.what === interruption
        ? [`Interrupted after ${seconds} s.`]
        : [`**Failed** after ${seconds} s with seed ${failure.seed}: ${failure.what}`]),
    '',
    ...(counts.length > 0 ? [...countTable(counts), ''] : []),
    ...(measures.length > 0 ? [...measureTable(measures), ''] : []),
    ...unavailable.map(({ what, why }) => `- Not available here, and not counted: ${what} (${why})`),
    ...(unavailable.length > 0 ? [''] : []),
  ];
}

/** A table with a row and a column for each name. The column `total`, if counted, comes first. */
export function countTable(counts: readonly Count[]): string[] {
  const rows = [...new Set(counts.map(({ row }) => row))];
  const columns = [...new Set(counts.map(({ column }) => column))].sort(
    (a, b) => Number(b === total) - Number(a === total),
  );
  const cell = (row: string | null, column: string): string => {
    const found = counts.filter((one) => one.column === column && (row === null || one.row === row));
    return found.reduce((sum, { count }) => sum + count, 0).toLocaleString('en-US');
  };
  const body = rows.map((row) => line([row, ...columns.map((column) => cell(row, column))]));
  const sums = line(['**all**', ...columns.map((column) => `**${cell(null, column)}**`)]);
  return [
    line(['', ...columns]),
    line(['---', ...columns.map(() => '---:')]),
    ...body,
    ...(rows.length > 1 ? [sums] : []),
  ];
}

/** A table of figures with their bounds. */
export function measureTable(measures: readonly Measure[]): string[] {
  return [
    line(['measured', 'figure', 'at most']),
    line(['---', '---:', '---:']),
    ...measures.map(({ what, value, unit, most }) =>
      line([
        what,
        `${digits(value)} ${unit}`.trim(),
        most === undefined ? '' : `${digits(most)} ${unit}`.trim(),
      ]),
    ),
  ];
}

function line(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}

function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0 });
}
