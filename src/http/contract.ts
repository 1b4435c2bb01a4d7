/**
 * The contract is the router: an OpenAPI document is read, and its operations become routes by their ids.
 *
 * From the document come path, method, the checks of parameters and body, the scopes that a caller needs, and the serializer
 * of the success answer. From the
 * API's module come the handlers, who may call, and how errors look. A handler whose id the document does not know stops the
 * start; for an operation without handler the module decides.
 *
 * In: an OpenAPI 3.0 or 3.1 file whose references are local and not circular. Other `x-…` parts of it are not looked at.
 */
import type { WebsocketHandler } from '@fastify/websocket';
import type { FastifyInstance, HTTPMethods, RouteHandlerMethod, RouteOptions } from 'fastify';
import { Refusal } from '../errors.ts';
import { isObject } from '../json.ts';
import { type Check, compileCheck, type Parameter, type Schema } from './contract-checks.ts';
import {
  type Content,
  type DocumentOperation,
  readDocument,
  resolvedPaths,
  type Security,
} from './contract-document.ts';

export type Operation = {
  id: string;
  method: HTTPMethods;
  /** As the document writes it: `/openapi/clientTag/get/{tagId}`. */
  path: string;
  problemOf: Check;
  /** The scopes of its security; empty where it names none. */
  scopes: readonly string[];
  /** The media types that its body may have; empty where it has none. */
  bodyTypes: readonly string[];
  /** The status of its success. */
  success: number;
  /** Schemas of the JSON answers by status. */
  answers: Readonly<Record<string, Schema>>;
};
export type Contract = { title: string; operations: readonly Operation[] };

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

type Reading = { additions?: readonly URL[]; closedQuery?: boolean };

const contracts = new Map<string, Promise<Contract>>();

/**
 * Reads a contract, with documents that add paths and components to it; once in a process, however often it is asked for. Throws
 * for documents that cannot be used, naming what is wrong. `closedQuery`: calls with a query parameter that it does not have are
 * wrong.
 */
export function readContract(file: URL, reading: Reading = {}): Promise<Contract> {
  const { additions = [], closedQuery = false } = reading;
  const name = [closedQuery, file, ...additions].join(' ');
  const contract = contracts.get(name) ?? toContract(file, { additions, closedQuery });
  contracts.set(name, contract);
  return contract;
}

async function toContract(file: URL, { additions, closedQuery }: Required<Reading>): Promise<Contract> {
  const raw = await readDocument(file, additions);
  const operations = Object.entries(resolvedPaths(raw)).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method.toLowerCase()];
      if (!operation) return [];
      const { parameters = [], security = raw.security ?? [] } = operation;
      const whole = { ...operation, parameters: [...(item.parameters ?? []), ...parameters], security };
      return toOperation(path, method, whole, closedQuery);
    }),
  );
  const repeated = operations.find(
    ({ id }, index) => operations.findIndex((other) => other.id === id) !== index,
  );
  if (repeated) throw new Error(`${raw.info.title} has two operations with the id ${repeated.id}`);
  return { title: raw.info.title, operations };
}

export type Binding<Handler> = {
  /** The start of the document's paths that the scope's prefix stands for. */
  within: string;
  /** By operation id. */
  handlers: Readonly<Record<string, Handler>>;
  /** The route of an operation; its handler is null when there is none. */
  toRoute(
    operation: Operation,
    handler: Handler | null,
  ): Pick<RouteOptions, 'onRequest' | 'bodyLimit'> & {
    handler: RouteHandlerMethod;
    /** Of an operation that is a WebSocket. */
    wsHandler?: WebsocketHandler;
  };
};

/**
 * Adds the contract's routes to a scope. Anything else under its prefix is refused: OPERATION_NOT_FOUND, or for a known path
 * METHOD_NOT_ALLOWED with the header `Allow`. Throws for a handler whose id the contract does not have.
 */
export function bindContract<Handler>(
  scope: FastifyInstance,
  { title, operations }: Contract,
  { within, handlers, toRoute }: Binding<Handler>,
): void {
  const ids = new Set(operations.map(({ id }) => id));
  const unknown = Object.keys(handlers).filter((id) => !ids.has(id));
  if (unknown.length > 0) throw new Error(`${title} has no operation ${unknown.join(', ')}`);
  for (const [path, own] of Map.groupBy(operations, (operation) => operation.path)) {
    const url = toUrl(path, within);
    for (const operation of own) {
      const handler = handlers[operation.id] ?? null;
      const route = toRoute(operation, handler);
      scope.route({
        url,
        method: operation.method,
        ...route,
        schema: schemaOf(operation, handler),
        config: { isSocket: route.wsHandler !== undefined },
      });
    }
    refuseOtherMethods(
      scope,
      url,
      own.map(({ method }) => method),
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
  closedQuery: boolean,
): Operation {
  const body = schemaOfContent(requestBody);
  return {
    id: operationId,
    method,
    path,
    problemOf: compileCheck(parameters, body && { schema: body, required: requestBody?.required ?? false }, {
      closedQuery,
    }),
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

// Only what is answered from a handler: errors are small, and every compiled serializer costs time at the start.
function schemaOf<Handler>({ answers }: Operation, handler: Handler | null) {
  if (handler === null) return {};
  const success = Object.entries(answers).filter(([status]) => status.startsWith('2'));
  return { response: Object.fromEntries(success.map(([status, schema]) => [status, inOrder(schema)])) };
}

/** The schema without its lists of required properties: the serializer would write those first, out of the contract's order. */
function inOrder(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(inOrder);
  if (!isObject(node)) return node;
  const kept = Object.entries(node).filter(([name, value]) => name !== 'required' || !Array.isArray(value));
  return Object.fromEntries(kept.map(([name, value]) => [name, inOrder(value)]));
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
