/**
 * The columns of an imported file, and its lines read by them.
 */
export type Columns = {
  required: readonly string[];
  optional: readonly string[];
  /** Those that may be there and are not looked at. */
  ignored?: readonly string[];
};

export type FileLine = {
  /** Number of the line in the file, from 1; of a CSV record of several lines the last. */
  line: number;
} & (
  | {
      /** By column; an optional column that the line does not have is empty. */
      fields: Readonly<Record<string, string>>;
    }
  /** Why it is no line of such a file. */
  | { problem: string }
);
