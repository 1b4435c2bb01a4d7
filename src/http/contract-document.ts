/**
 * Reads OpenAPI 3.0 and 3.1 documents: merges additions into them and resolves local references. Circular references are refused.
 */
import { readFile } from 'node:fs/promises';
import { dump, load } from 'js-yaml';
import { isObject } from '../json.ts';
import type { Parameter, Schema } from './contract-checks.ts';

type JsonType = 'application/json' | 'application/problem+json';
export type Content = { content?: Partial<Record<JsonType, { schema: Schema }>> };
export type Security = readonly Record<string, readonly string[]>[];
export type DocumentOperation = {
  operationId: string;
  security?: Security;
  parameters?: Parameter[];
  requestBody?: Content & { required?: boolean };
  responses: Record<string, Content>;
};
export type Document = {
  info: { title: string };
  security?: Security;
  paths: Record<string, Partial<Record<string, DocumentOperation>> & { parameters?: Parameter[] }>;
  components?: Record<string, Record<string, unknown>>;
};

/** Reads a document with its additions. An addition may add paths and components, but not change any. */
export async function readDocument(file: URL, additions: readonly URL[] = []): Promise<Document> {
  const documents = await Promise.all([file, ...additions].map(parseFile));
  return documents.reduce(withAddition);
}

/** An addition as a document of its own, as YAML: its paths, with every component of the contract that it adds to. */
export async function readAddition(file: URL, addition: URL): Promise<string> {
  const [whole, { info, paths, ...rest }] = await Promise.all([parseFile(file), parseFile(addition)]);
  const { components } = withAddition(whole, { info, paths, ...rest });
  return dump({ ...whole, 'x-partial-paths': undefined, info, paths, components });
}

/** The paths of a document, with every reference replaced by its target. */
export function resolvedPaths(document: Document): Document['paths'] {
  return resolve(document.paths, { root: document, resolved: new Map() }, []) as Document['paths'];
}

async function parseFile(file: URL): Promise<Document> {
  return load(await readFile(file, 'utf8'), { filename: file.pathname }) as Document;
}

function withAddition(whole: Document, { paths, components = {} }: Document): Document {
  const sections = Object.entries(components).map(
    ([name, section]) => [name, union(whole.components?.[name] ?? {}, section)] as const,
  );
  return {
    ...whole,
    paths: union(whole.paths, paths),
    components: { ...whole.components, ...Object.fromEntries(sections) },
  };
}

function union<Item>(items: Record<string, Item>, added: Record<string, Item>): Record<string, Item> {
  const duplicates = Object.keys(added).filter((name) => Object.hasOwn(items, name));
  if (duplicates.length > 0)
    throw new Error(`an addition to the contract defines again: ${duplicates.join(', ')}`);
  return { ...items, ...added };
}

/** `resolved`: the targets so far by reference. Many operations refer to the same one, and share it. */
type Resolution = { root: Document; resolved: Map<string, unknown> };

function resolve(node: unknown, resolution: Resolution, openReferences: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => resolve(item, resolution, openReferences));
  if (!isObject(node)) return node;
  const { $ref: reference } = node;
  if (typeof reference !== 'string') {
    return Object.fromEntries(
      Object.entries(node).map(([name, value]) => [name, resolve(value, resolution, openReferences)]),
    );
  }
  if (openReferences.includes(reference)) throw new Error(`the reference ${reference} leads to itself`);
  const { root, resolved } = resolution;
  const known = resolved.get(reference);
  if (known !== undefined) return known;
  const target = resolve(lookUp(root, reference), resolution, [...openReferences, reference]);
  resolved.set(reference, target);
  return target;
}

function lookUp(root: unknown, reference: string): unknown {
  const [start, ...names] = reference.split('/');
  const target = names.reduce<unknown>((node, name) => (isObject(node) ? node[name] : undefined), root);
  if (start !== '#' || target === undefined) throw new Error(`the reference ${reference} leads nowhere`);
  return target;
}
