/**
 * Checks a call against the schemas of a contract, and describes a problem in plain words: the field and the expected value. A
 * message repeats a value only if the contract lists the possible ones, so never a secret.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { isObject, someText } from '../json.ts';
import { firstDay, isCalendarDay, isDay, isInstant, lastDay } from '../time.ts';

export type Schema = Record<string, unknown>;
export type Parameter = { name: string; in: string; required?: boolean; explode?: boolean; schema: Schema };
/** The input of a call. `headers` have lower-case names; without them, no header is checked. */
export type Sent = { params: unknown; query: unknown; body: unknown; headers?: unknown };
/** The first problem of a call, or null. Parameters get the types and defaults of the contract. */
export type Check = (sent: Sent) => string | null;

export type CheckOptions = {
  /** An undeclared parameter of the query is a problem too. */
  closedQuery?: boolean;
  /** The operations repair texts with half a surrogate pair, so they are no problem. */
  repairsText?: boolean;
};

// OpenAPI adds keywords (example, x-…) that are no checks.
const settings = { strict: false, verbose: true } as const;
const bodies = new Ajv(settings);
const parameters = new Ajv({ ...settings, coerceTypes: true, useDefaults: true });
for (const checks of [bodies, parameters]) {
  addFormats.default(checks);
  checks.addFormat('date', isDay).addFormat('date-time', isInstant).addFormat('birthday', isCalendarDay);
}

const shownLengthMax = 60;

/**
 * The check of one operation: path, query, headers, body. `body` null: the operation has none, and a sent one is ignored.
 */
export function compileCheck(
  declared: readonly Parameter[],
  body: { schema: Schema; required: boolean } | null,
  { closedQuery = false, repairsText = false }: CheckOptions = {},
): Check {
  const closing = closedQuery ? { additionalProperties: false } : {};
  const compile = () => ({
    path: parameters.compile(toSchema(declared, 'path')),
    query: parameters.compile({ ...toSchema(declared, 'query'), ...closing }),
    headers: bodies.compile(toSchema(declared, 'header')),
    body: body && bodies.compile(body.schema),
  });
  // Compiled with the first call, because compiling all operations would double the time of a start.
  let compiled: ReturnType<typeof compile> | undefined;
  const lists = declared.filter((parameter) => parameter.in === 'query' && parameter.schema.type === 'array');
  return ({ params, query, body: sentBody, headers }) => {
    compiled ??= compile();
    const checks = compiled;
    splitLists(lists, query);
    const checkOfBody = sentBody === undefined && !body?.required ? null : checks.body;
    return (
      problemOf(checks.path, params, 'in the path') ??
      problemOf(checks.query, query, 'in the query') ??
      (headers === undefined ? null : problemOf(checks.headers, headers, 'in the headers')) ??
      (checkOfBody && problemOf(checkOfBody, sentBody, 'in the body')) ??
      textProblem({ 'in the path': params, 'in the query': query, 'in the body': sentBody }, { repairsText })
    );
  };
}

/**
 * PostgreSQL cannot store a NUL character. It stores half a surrogate pair as another character, or refuses it in JSON. Unknown
 * members are searched too, because a body may be stored whole.
 */
function textProblem(
  input: Readonly<Record<string, unknown>>,
  { repairsText }: { repairsText: boolean },
): string | null {
  const isWrong = (text: string) => text.includes('\0') || !(repairsText || text.isWellFormed());
  if (!someText(input, isWrong)) return null;
  for (const [place, members] of Object.entries(input)) {
    const entry = isObject(members) && Object.entries(members).find((member) => someText(member, isWrong));
    if (!entry) continue;
    const holds = someText(entry, (text) => text.includes('\0'))
      ? 'a NUL character'
      : 'half a surrogate pair';
    return `${entry[0].replaceAll('\0', '').toWellFormed()} ${place} holds ${holds}`;
  }
  return null;
}

function toSchema(declared: readonly Parameter[], place: string): Schema {
  const placed = declared
    .filter((parameter) => parameter.in === place)
    .map((parameter) =>
      place === 'header' ? { ...parameter, name: parameter.name.toLowerCase() } : parameter,
    );
  return {
    type: 'object',
    properties: Object.fromEntries(placed.map(({ name, schema }) => [name, schema])),
    required: placed.filter(({ required }) => required).map(({ name }) => name),
  };
}

/** Turns `a,b` and repeated parameters into a list where the contract has one. */
function splitLists(lists: readonly Parameter[], query: unknown): void {
  if (!isObject(query)) return;
  for (const { name, explode = true } of lists) {
    const value = query[name];
    if (typeof value === 'string') query[name] = explode ? [value] : value.split(',');
  }
}

function problemOf(check: ValidateFunction, value: unknown, place: string): string | null {
  if (check(value)) return null;
  const [error] = check.errors ?? [];
  return error ? toWords(error, place) : null;
}

function toWords(error: ErrorObject, place: string): string {
  const { keyword, params, data } = error;
  const field = fieldOf(error.instancePath);
  const where = field === '' ? place.replace('in ', '') : `${field} ${place}`;
  switch (keyword) {
    case 'required':
      return `${joined(field, String(params.missingProperty))} ${place} is missing`;
    case 'type':
      return `${where} must be ${typesOf(String(params.type))}, not ${typeOf(data)}`;
    case 'enum':
      return `${where} must be one of ${listOf(params.allowedValues)}, not ${shown(data)}`;
    case 'maxItems':
      return `${where} must have at most ${params.limit} entries, not ${Array.isArray(data) ? data.length : 0}`;
    case 'additionalProperties':
      return `${joined(field, String(params.additionalProperty))} ${place} is not known; ${knownIn(error)}`;
    case 'minProperties':
      return `${where} is empty; ${knownIn(error)}`;
    case 'format':
      return `${where} must be ${formatWords[String(params.format)] ?? params.format}, not ${shown(data)}`;
    default:
      return `${where} ${error.message ?? 'is wrong'}`;
  }
}

/** `/clientIds/3` becomes `clientIds[3]`. */
function fieldOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((field, part) => (/^\d+$/.test(part) ? `${field}[${part}]` : joined(field, part)), '');
}

function joined(field: string, part: string): string {
  return field === '' ? part : `${field}.${part}`;
}

/** The possible names. */
function knownIn({ parentSchema }: ErrorObject): string {
  const names = Object.keys(isObject(parentSchema?.properties) ? parentSchema.properties : {});
  return names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`;
}

const formatWords: Record<string, string> = {
  date: `a calendar day from ${firstDay} to ${lastDay}`,
  birthday: 'a calendar day, YYYY-MM-DD',
  'date-time': 'an instant of the years 2000 to 2199 such as 2026-03-01T10:00:00Z',
  email: 'an e-mail address',
  uri: 'a URL',
};

function typesOf(types: string): string {
  return types
    .split(',')
    .map((type) => typeWords[type] ?? type)
    .join(' or ');
}

const typeWords: Record<string, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return typeWords[Array.isArray(value) ? 'array' : typeof value] ?? 'nothing';
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.join(', ') : '';
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
}
