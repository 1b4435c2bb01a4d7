/** Reads and checks fields of a request, with LINE's error messages and LINE's formats of ids and days. */
import type { FastifyRequest } from 'fastify';
import { isObject, type JsonObject } from '../../src/json.ts';
import { isDay } from '../../src/time.ts';
import { LineError } from './line-error.ts';

/** A query parameter; undefined when it is missing or repeated. */
export function queryText({ query }: FastifyRequest, name: string): string | undefined {
  const value = isObject(query) ? query[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The body as an object. Throws LineError 400. */
export function bodyOf({ body }: FastifyRequest): JsonObject {
  if (isObject(body)) return body;
  throw new LineError(400, 'The request body could not be parsed as JSON (line: 1, column: 1)');
}

/** `yyyyMMdd` as `YYYY-MM-DD`; null: not a day. */
export function toDay(text: string | undefined): string | null {
  if (text === undefined || !/^\d{8}$/.test(text)) return null;
  const day = text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
  return isDay(day) ? day : null;
}

/** A whole number from 1 to `max`. Throws the given error. */
export function wholeNumber(
  text: string | undefined,
  { fallback, max, error }: { fallback: number; max: number; error: LineError },
): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max) throw error;
  return number;
}

export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && /^U[0-9a-f]{32}$/.test(value);
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
