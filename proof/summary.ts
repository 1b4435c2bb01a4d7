/**
 * docs/proof.md: the recorded runs of a release, summed. `npm run gen` writes it, `npm test` compares it.
 */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Count } from './part.ts';
import {
  countTable,
  machineText,
  measureTable,
  type PartRecord,
  type RunRecord,
  readRecord,
  release,
} from './record.ts';

export const summaryFile = new URL('../docs/proof.md', import.meta.url);

type PartOfRun = { run: RunRecord; part: PartRecord };

/** Renders the page from the records in proof/results. */
export async function renderSummary(): Promise<string> {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  const names = globSync('*.json', { cwd: folder }).sort();
  const records = await Promise.all(names.map((name) => readRecord(`${folder}${name}`)));
  return summarize(records, release());
}

/** The page of one release. Quick runs are not counted. */
export function summarize(records: readonly RunRecord[], version: string): string {
  const runs = records.filter((run) => run.release === version && !run.isQuick);
  const parts = Map.groupBy(
    runs.flatMap((run) => run.parts.map((part) => ({ run, part }))),
    ({ part }) => part.name,
  );
  const lines = [
    `# The proof of Shoal ${version}`,
    '',
    'Sums of the recorded runs, written by `npm run gen`. [proof/README.md](../proof/README.md) explains each part.',
    'Only work that passed its checks is counted.',
    '',
    ...(runs.length === 0 ? ['No run of this release is recorded.', ''] : []),
    ...[...parts].flatMap(([name, ofPart]) => [`## ${name}`, '', ...partSummary(ofPart)]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function partSummary(ofPart: readonly PartOfRun[]): string[] {
  const counts = sum(ofPart.flatMap(({ part }) => part.counts));
  const seconds = ofPart.reduce((all, { part }) => all + part.seconds, 0);
  const failures = ofPart.filter(({ part }) => part.failure !== null);
  const measured = ofPart.findLast(({ part }) => part.measures.length > 0);
  const unavailable = new Map(
    ofPart.flatMap(({ part }) => part.unavailable).map((one) => [one.what, one.why]),
  );
  return [
    `Runs: ${ofPart.length}, failed: ${failures.length}, minutes: ${Math.round(seconds / 60)}.`,
    '',
    ...(counts.length > 0 ? [...countTable(counts), ''] : []),
    ...(measured ? [`Measured in the latest run (${measured.run.startedAt.slice(0, 10)}):`, ''] : []),
    ...(measured ? [...measureTable(measured.part.measures), ''] : []),
    ...[...unavailable].map(([what, why]) => `- Not available, and not counted: ${what} (${why})`),
    ...(unavailable.size > 0 ? [''] : []),
    ...['| run | seed | seconds | machine | result |', '| --- | --- | ---: | --- | --- |'],
    ...ofPart.map(runLine),
    '',
  ];
}

function runLine({ run, part }: PartOfRun): string {
  const result =
    part.failure === null ? 'passed' : `failed: ${part.failure.what.replaceAll(/\s*[|\n]\s*/g, ' ')}`;
  const at = run.startedAt.slice(0, 16).replace('T', ' ');
  return `| ${at} | ${run.seed} | ${part.seconds} | ${machineText(run.machine)} | ${result} |`;
}

function sum(counts: readonly Count[]): Count[] {
  const sums = new Map<string, Count>();
  for (const { row, column, count } of counts) {
    const key = JSON.stringify([row, column]);
    sums.set(key, { row, column, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}
