/**
 * The contract is the router: each operation of an OpenAPI document becomes a route by its id.
 *
 * The document provides path, method, the checks of parameters and body, the scopes that a caller needs, and the serializer of
 * the success answer. The API's module provides the handlers, authentication and the form of errors. The server does not start
 * when an operation has no handler, or a handler no operation.
 */
import type { WebsocketHandler } from '@fastify/websocket';
import fastJsonStringify from 'fast-json-stringify';
import type {
  FastifyInstance,
  FastifySerializerCompiler,
  HTTPMethods,
  RouteHandlerMethod,
  RouteOptions,
} from 'fastify';
import { Refusal } from '../errors.ts';
import { isObject } from '../json.ts';
import {
  type Check,
  type CheckOptions,
  compileCheck,
  type Parameter,
  type Schema,
} from './contract-checks.ts';
import {
  type Content,
  type DocumentOperation,
  readDocument,
  resolvedPaths,
  type Security,
} from './contract-document.ts';

/** An operation as the router uses it. Its compile-time types are in operation.ts. */
export type ContractOperation = {
  id: string;
  method: HTTPMethods;
  /** The path of the document: `/openapi/clientTag/get/{tagId}`. */
  path: string;
  problemOf: Check;
  /** The scopes of its security; empty if it names none. */
  scopes: readonly string[];
  /** The media types of its body; empty without a body. */
  bodyTypes: readonly string[];
  /** The status of the success answer. */
  success: number;
  /** Schemas of the JSON answers by status. */
  answers: Readonly<Record<string, Schema>>;
};
export type Contract = { title: string; operations: readonly ContractOperation[] };

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

type ReadOptions = CheckOptions & { additions?: readonly URL[] };

const contracts = new Map<string, Promise<Contract>>();

/**
 * Reads a contract with the documents that add paths and components to it. A process reads each contract once. Throws for an
 * invalid document, naming the fault.
 */
export function readContract(file: URL, { additions = [], ...checks }: ReadOptions = {}): Promise<Contract> {
  const name = [JSON.stringify(checks), file, ...additions].join(' ');
  const contract = contracts.get(name) ?? toContract(file, additions, checks);
  contracts.set(name, contract);
  return contract;
}

async function toContract(file: URL, additions: readonly URL[], checks: CheckOptions): Promise<Contract> {
  const document = await readDocument(file, additions);
  const { title } = document.info;
  const operations = Object.entries(resolvedPaths(document)).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method.toLowerCase()];
      if (!operation) return [];
      const { parameters = [], security = document.security ?? [] } = operation;
      const whole = { ...operation, parameters: [...(item.parameters ?? []), ...parameters], security };
      return toOperation(path, method, whole, checks);
    }),
  );
  const ids = operations.map(({ id }) => id);
  const duplicate = ids.find((id, index) => ids.indexOf(id) !== index);
  if (duplicate) throw new Error(`${title} has two operations with the id ${duplicate}`);
  return { title, operations };
}

export type Binding<Handler> = {
  /** The prefix of the document's paths that the scope's own prefix replaces. */
  within: string;
  /** By operation id. */
  handlers: Readonly<Record<string, Handler>>;
  toRoute(
    operation: ContractOperation,
    handler: Handler,
  ): Pick<RouteOptions, 'onRequest' | 'bodyLimit'> & {
    handler: RouteHandlerMethod;
    /** For an operation that is a WebSocket. */
    wsHandler?: WebsocketHandler;
  };
};

/**
 * Adds the contract's routes to a scope. Refuses every other call under its prefix: with OPERATION_NOT_FOUND, or for a known path
 * with METHOD_NOT_ALLOWED and the header `Allow`. Throws when handlers and operations do not match one to one.
 */
export function bindContract<Handler>(
  scope: FastifyInstance,
  { title, operations }: Contract,
  { within, handlers, toRoute }: Binding<Handler>,
): void {
  const ids = new Set(operations.map(({ id }) => id));
  const unknownIds = Object.keys(handlers).filter((id) => !ids.has(id));
  if (unknownIds.length > 0) throw new Error(`${title} has no operation ${unknownIds.join(', ')}`);
  for (const [path, ofPath] of Map.groupBy(operations, (operation) => operation.path)) {
    const url = toUrl(path, within);
    for (const operation of ofPath) {
      const handler = handlers[operation.id];
      if (handler === undefined) throw new Error(`${operation.id} of ${title} has no handler`);
      const route = toRoute(operation, handler);
      scope.route({
        url,
        method: operation.method,
        ...route,
        schema: schemaOf(operation),
        serializerCompiler: compileSerializer,
      });
    }
    refuseOtherMethods(
      scope,
      url,
      ofPath.map(({ method }) => method),
    );
  }
  scope.setNotFoundHandler((request) => {
    throw new Refusal('OPERATION_NOT_FOUND', `There is no ${request.method} ${pathOf(request.url)}`);
  });
}

function toOperation(
  path: string,
  method: HTTPMethods,
  {
    operationId,
    parameters,
    security = [],
    requestBody,
    responses,
  }: DocumentOperation & {
    parameters: Parameter[];
    security: Security | undefined;
  },
  checks: CheckOptions,
): ContractOperation {
  const body = schemaOfContent(requestBody);
  return {
    id: operationId,
    method,
    path,
    problemOf: compileCheck(
      parameters,
      body && { schema: body, required: requestBody?.required ?? false },
      checks,
    ),
    scopes: security.flatMap((schemes) => Object.values(schemes).flat()),
    bodyTypes: Object.keys(requestBody?.content ?? {}),
    success: Number(Object.keys(responses).find((status) => status.startsWith('2'))),
    answers: Object.fromEntries(
      Object.entries(responses).flatMap(([status, response]) => {
        const schema = schemaOfContent(response);
        return schema ? [[status, schema]] : [];
      }),
    ),
  };
}

function schemaOfContent(content: Content | undefined): Schema | null {
  const { 'application/json': json, 'application/problem+json': problem } = content?.content ?? {};
  return (json ?? problem)?.schema ?? null;
}

function toUrl(path: string, within: string): string {
  if (!path.startsWith(within)) throw new Error(`the path ${path} is not within ${within}`);
  return path.slice(within.length).replace(/\{(\w+)\}/g, ':$1');
}

/** Compiled with the first answer: compiling those of all operations takes a tenth of the time of a start. */
const compileSerializer: FastifySerializerCompiler<Schema> = ({ schema }) => {
  let serialize: ((answer: unknown) => string) | undefined;
  return (answer) => {
    serialize ??= fastJsonStringify(schema);
    return serialize(answer);
  };
};

// Only success answers get a serializer: errors are small.
function schemaOf({ answers }: ContractOperation) {
  const success = Object.entries(answers).filter(([status]) => status.startsWith('2'));
  return { response: Object.fromEntries(success.map(([status, schema]) => [status, inOrder(schema)])) };
}

/** The schema without its lists of required properties. The serializer would write those first, out of the contract's order. */
function inOrder(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(inOrder);
  if (!isObject(node)) return node;
  const members = Object.entries(node).filter(
    ([name, value]) => name !== 'required' || !Array.isArray(value),
  );
  return Object.fromEntries(members.map(([name, value]) => [name, inOrder(value)]));
}

function refuseOtherMethods(scope: FastifyInstance, url: string, allowed: readonly HTTPMethods[]): void {
  // Fastify answers HEAD wherever it answers GET.
  const answered = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  scope.route({
    url,
    method: methods.filter((method) => !answered.includes(method)),
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      reply.header('allow', answered.join(', '));
      throw new Refusal(
        'METHOD_NOT_ALLOWED',
        `${pathOf(request.url)} takes ${answered.join(', ')}, not ${request.method}`,
      );
    },
  });
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
