/**
 * docs/proof.md: the recorded runs of a release, summed. `npm run gen` writes it, `npm test` compares it.
 */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Count } from './part.ts';
import {
  countTable,
  interruption,
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
  const failures = ofPart.filter(({ part }) => part.failure !== null && part.failure.what !== interruption);
  // Of each figure, the latest one.
  const measures = new Map(ofPart.flatMap(({ part }) => part.measures).map((one) => [one.what, one]));
  const unavailable = new Map(
    ofPart.flatMap(({ part }) => part.unavailable).map((one) => [one.what, one.why]),
  );
  return [
    `Runs: ${ofPart.length}, failed: ${failures.length}, minutes: ${Math.round(seconds / 60)}.`,
    '',
    ...(counts.length > 0 ? [...countTable(counts), ''] : []),
    ...(measures.size > 0 ? ['Each figure is from the latest run that measured it.', ''] : []),
    ...(measures.size > 0 ? [...measureTable([...measures.values()]), ''] : []),
    ...[...unavailable].map(([what, why]) => `- Not available, and not counted: ${what} (${why})`),
    ...(unavailable.size > 0 ? [''] : []),
    ...['| run | seed | seconds | machine | result |', '| --- | --- | ---: | --- | --- |'],
    ...ofPart.map(runLine),
    '',
  ];
}

function runLine({ run, part }: PartOfRun): string {
  const result = resultOf(part);
  const at = run.startedAt.slice(0, 16).replace('T', ' ');
  return `| ${at} | ${run.seed} | ${part.seconds} | ${machineText(run.machine)} | ${result} |`;
}

function resultOf({ failure }: PartRecord): string {
  if (failure === null) return 'passed';
  if (failure.what === interruption) return interruption;
  return `failed: ${failure.what.replaceAll(/\s*[|\n]\s*/g, ' ')}`;
}

function sum(counts: readonly Count[]): Count[] {
  const sums = new Map<string, Count>();
  for (const { row, column, count } of counts) {
    const key = JSON.stringify([row, column]);
    sums.set(key, { row, column, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}
