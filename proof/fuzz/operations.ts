/** The operations of the API documents in contracts/, with compiled checks of inputs and answers. */
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Parameter, Schema } from '../../src/http/contract-checks.ts';
import { readDocument, resolvedPaths } from '../../src/http/contract-document.ts';
import { isObject, type JsonObject } from '../../src/json.ts';

export const contractNames = ['mantago', 'line-insight', 'management', 'live-chat'] as const;
export type ContractName = (typeof contractNames)[number];

export type Operation = {
  contract: ContractName;
  id: string;
  method: string;
  /** With the prefix under which the server has it. */
  path: string;
  parameters: readonly Parameter[];
  /** The media types of the body; empty without a body. */
  bodyTypes: readonly string[];
  isBodyRequired: boolean;
  body: Schema | null;
  isValidBody: ValidateFunction | null;
  /** By status: the schema of the JSON answer, or null for an answer without JSON. */
  answers: Readonly<Record<string, JsonObject | null>>;
};

const methods = ['get', 'post', 'put', 'patch', 'delete'];
const additions: Partial<Record<ContractName, readonly string[]>> = { mantago: ['mantago-partial'] };
const prefixes: Partial<Record<ContractName, string>> = { mantago: '/api' };

const ajv = new Ajv({ strict: false, allErrors: false });
addFormats.default(ajv);
ajv.addFormat('birthday', /^\d{4}-\d{2}-\d{2}$/);

/** All operations of the five documents. mantago-partial.yaml adds to mantago.yaml. */
export async function readOperations(): Promise<Operation[]> {
  const found = await Promise.all(contractNames.map(readContractOperations));
  return found.flat();
}

async function readContractOperations(contract: ContractName): Promise<Operation[]> {
  const toUrl = (name: string) => new URL(`../../contracts/${name}.yaml`, import.meta.url);
  const document = await readDocument(toUrl(contract), (additions[contract] ?? []).map(toUrl));
  return Object.entries(resolvedPaths(document)).flatMap(([path, item]) =>
    methods.flatMap((method): Operation[] => {
      const operation = item[method];
      if (!operation) return [];
      const { operationId: id, requestBody, responses } = operation;
      const body = requestBody?.content?.['application/json']?.schema ?? null;
      return [
        {
          ...{ contract, id, method: method.toUpperCase(), path: `${prefixes[contract] ?? ''}${path}`, body },
          parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])],
          bodyTypes: Object.keys(requestBody?.content ?? {}),
          isBodyRequired: requestBody?.required ?? false,
          isValidBody: body && ajv.compile(body),
          answers: Object.fromEntries(
            Object.entries(responses).map(([status, { content = {} }]) => [status, schemaOf(content)]),
          ),
        },
      ];
    }),
  );
}

function schemaOf(content: JsonObject): JsonObject | null {
  const json = content['application/json'] ?? content['application/problem+json'];
  return isObject(json) && isObject(json.schema) ? shared(json.schema) : null;
}

const schemas = new Map<string, JsonObject>();

/** One object for equal schemas, so that each is compiled once. */
function shared(schema: JsonObject): JsonObject {
  const text = JSON.stringify(schema);
  const first = schemas.get(text) ?? schema;
  schemas.set(text, first);
  return first;
}
