/**
 * The files that a source file of this repository imports.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const found = new Map<string, readonly string[]>();

/** The relative imports of a file, as paths from the root of the repository. A process reads each file once. */
export function importsOf(file: string): readonly string[] {
  const imports = found.get(file) ?? readImports(file);
  found.set(file, imports);
  return imports;
}

function readImports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from |import\(|import )'(\.[^']+)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)),
  );
}
