/**
 * The columns of an imported file, and its parsed lines.
 */
export type Columns = {
  required: readonly string[];
  optional: readonly string[];
  /** Columns that may exist and are not read. */
  ignored?: readonly string[];
};

export type FileLine = {
  /** The line number in the file, from 1; for a CSV record of several lines the last one. */
  line: number;
} & (
  | {
      /** By column; an optional column without a value is empty. */
      fields: Readonly<Record<string, string>>;
    }
  /** Why the line cannot be parsed. */
  | { problem: string }
);
