/**
 * YAML documents in tests, untyped, as JSON.parse returns them.
 */
import { load } from 'js-yaml';

export function parseYaml(text: string): ReturnType<typeof JSON.parse> {
  return load(text);
}
