/**
 * The tools, each one a reading operation of the management API. Name, checks and description of the arguments are those of the
 * contract.
 */
import type { Schema } from '../../http/contract-checks.ts';
import { readDocument, resolvedPaths } from '../../http/contract-document.ts';
import type { JsonObject } from '../../json.ts';
import { once } from '../../once.ts';
import { type ApiCall, readApi } from './api-call.ts';

/** The operation of each tool, by the tool's name. */
const operationIds = {
  list_bots: 'listBots',
  get_overview: 'getOverview',
  get_figures: 'getFigures',
  get_series: 'getSeries',
  get_reconciliation: 'getReconciliation',
  get_platform_reconciliation: 'getPlatformReconciliation',
  list_contacts: 'listContacts',
  get_contact: 'getContact',
  get_points: 'getPoints',
  list_point_entries: 'listPointEntries',
  get_point_series: 'getPointSeries',
  list_sends: 'listSends',
  get_send: 'getSend',
  get_health: 'getHealth',
} as const;

export type Tool = {
  name: string;
  description: string;
  inputSchema: { type: 'object'; properties: JsonObject; required: string[]; additionalProperties: false };
  run(call: ApiCall, input: JsonObject): Promise<JsonObject>;
};

type Described = { summary?: string; description?: string };
type Parameter = { name: string; in: string; required?: boolean; description?: string; schema: Schema };

const contractFile = new URL('../../../contracts/management.yaml', import.meta.url);

/** The tools in the order of the list, read from the contract at the first call. */
export const readTools = once(async (): Promise<Tool[]> => {
  const paths = Object.entries(resolvedPaths(await readDocument(contractFile)));
  return Object.entries(operationIds).map(([name, id]) => {
    const found = paths.find(([, { get }]) => get?.operationId === id);
    const operation = found?.[1].get;
    if (!found || !operation) throw new Error(`the contract has no reading operation ${id}`);
    const [path, item] = found;
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].filter(
      (parameter) => parameter.in !== 'header',
    );
    const { summary = id, description = '' } = operation as Described;
    return {
      name,
      description: `${summary}.\n\n${description}`.trim(),
      inputSchema: inputSchemaOf(parameters),
      run: (call, input) => runOperation(call, path, parameters, input),
    };
  });
});

function inputSchemaOf(parameters: readonly Parameter[]): Tool['inputSchema'] {
  const properties = parameters.map(({ name, description, schema }) => [
    name,
    { ...schema, ...(description === undefined ? {} : { description }) },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  };
}

/** The API checks the arguments, unknown ones too. */
function runOperation(call: ApiCall, path: string, parameters: readonly Parameter[], input: JsonObject) {
  const inPath = new Set(
    parameters.flatMap((parameter) => (parameter.in === 'path' ? [parameter.name] : [])),
  );
  const query = Object.entries(input).filter(([name]) => !inPath.has(name));
  return readApi(call, fillPath(path, input), Object.fromEntries(query));
}

/** Fills the parameters of a path. An empty one would address another operation, so it becomes an id that nothing has. */
export function fillPath(path: string, values: JsonObject): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    const isText = typeof value === 'string' && !['', '.', '..'].includes(value);
    return encodeURIComponent(isText ? value : '-');
  });
}
