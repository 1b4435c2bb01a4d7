/**
 * The table of the measurements, as Markdown and JSON, with the description of the machine.
 */
import { cpus, totalmem } from 'node:os';
import { median } from './statistics.ts';

/** One row of the table: the values of each run, their reference, and the goal. */
export type Line = {
  what: string;
  /** The unit of `values` and `against.values`; empty for shares. */
  unit: string;
  values: number[];
  against?: { what: string; values: number[] };
  /** For each run: value / reference, or its inverse. */
  ratios?: number[];
  target?: Target;
  note?: string;
};

/** The goal: for the ratios if there are any, otherwise for the values; for their median or maximum. */
export type Target = {
  statistic: 'median' | 'max';
  sense: 'at least' | 'at most';
  bound: number;
  aim?: number;
};

export type Machine = {
  cores: number;
  processor: string;
  memoryGb: number;
  node: string;
};

export type Environment = Machine & {
  date: string;
  postgresql: string;
  /** Median time of a write of 8 KB with fdatasync in the stage's folder, ms. */
  syncMs: number;
  command: string;
};

const gigabyte = 1024 ** 3;

export function environment(found: Omit<Environment, keyof Machine>): Environment {
  return { ...machine(), ...found };
}

/** The machine of this process. */
export function machine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / gigabyte),
    node: process.version,
  };
}

/** Null for a row without a goal. */
export function reached({ target, ratios, values }: Line): boolean | null {
  return target ? holds(target, target.bound, ratios ?? values) : null;
}

function holds({ statistic, sense }: Target, bound: number, values: readonly number[]): boolean {
  const value = statistic === 'median' ? median(values) : Math.max(...values);
  return sense === 'at least' ? value >= bound : value <= bound;
}

export function toMarkdown(environment: Environment, lines: readonly Line[]): string {
  const { date, cores, processor, memoryGb, node, postgresql, syncMs, command } = environment;
  const head = ['what', 'measured', 'held against', 'its measure', 'ratio', 'to reach', 'reached'];
  return [
    `# Measured on ${date}`,
    '',
    `${cores} cores (${processor}), ${memoryGb} GB, Node ${node}, PostgreSQL ${postgresql} (embedded, fsync on; a synced write of 8 KB takes ${digits(syncMs)} ms). The load generator runs on the same cores. Each figure: median (smallest to largest) of the runs.`,
    '',
    `    ${command}`,
    '',
    row(head),
    row(head.map(() => '---')),
    ...lines.map((line) => row(cells(line))),
    '',
    ...lines.flatMap(({ what, note }) => (note ? [`- ${what}: ${note}`] : [])),
    '',
  ].join('\n');
}

function cells(line: Line): string[] {
  const { what, unit, values, against, ratios, target } = line;
  return [
    what,
    spread(values, unit),
    against?.what ?? '',
    against ? spread(against.values, unit) : '',
    ratios ? spread(ratios, '') : '',
    target ? targetText(target, ratios ? '' : unit) : '',
    verdict(line),
  ];
}

function verdict(line: Line): string {
  const { target, ratios, values } = line;
  if (!target) return '';
  if (!holds(target, target.bound, ratios ?? values)) return '**no**';
  if (target.aim === undefined) return 'yes';
  return holds(target, target.aim, ratios ?? values) ? 'yes, and the aim' : 'yes, not the aim';
}

function targetText({ statistic, sense, bound, aim }: Target, unit: string): string {
  const sign = sense === 'at least' ? '≥' : '≤';
  const aimed = aim === undefined ? '' : `, aim ${aim}`;
  return `${statistic === 'max' ? 'largest ' : ''}${sign} ${bound.toLocaleString('en-US')}${unit && ` ${unit}`}${aimed}`;
}

function spread(values: readonly number[], unit: string): string {
  const suffix = unit && ` ${unit}`;
  if (values.length === 0) return 'not measured';
  if (values.length === 1) return `${digits(values[0] ?? 0)}${suffix}`;
  return `${digits(median(values))}${suffix} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`;
}

/** Three significant digits; whole numbers from 100. */
function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 4 });
}

function row(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}
