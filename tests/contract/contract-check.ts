/**
 * Checks a response body against a schema of a contract, with no additional property.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { isObject } from '../../src/json.ts';

const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
/** Each schema is compiled once, because that takes longer than a call. */
const checks = new WeakMap<object, ValidateFunction>();

/** The differences between a body and its schema; null if there is none. */
export function differenceOf(body: unknown, schema: object): string | null {
  const check = checks.get(schema) ?? ajv.compile(closed(schema));
  checks.set(schema, check);
  return check(body) ? null : ajv.errorsText(check.errors);
}

/** The schema, with `allOf` merged, and additional properties forbidden in every object that does not allow them. */
function closed(schema: unknown): Record<string, unknown> {
  if (!isObject(schema)) return {};
  const { allOf, ...own } = schema;
  const parts = [own, ...(Array.isArray(allOf) ? allOf : [])].filter(isObject);
  const merged: Record<string, unknown> = Object.assign({}, ...parts);
  const inner = merged.items === undefined ? {} : { items: closed(merged.items) };
  const properties = Object.assign({}, ...parts.map((part) => part.properties ?? {}));
  if (Object.keys(properties).length === 0) return { ...merged, ...inner };
  const required = parts.flatMap((part) => (Array.isArray(part.required) ? part.required : []));
  const names = Object.entries(properties).map(([name, property]) => [name, closed(property)]);
  return {
    ...{ additionalProperties: false, ...merged, ...inner, required },
    properties: Object.fromEntries(names),
  };
}
