/** What stands in a request, read with LINE's own refusals; ids and days as LINE writes them. */
import type { FastifyRequest } from 'fastify';
import { isDay } from '../../src/time.ts';
import { isObject, type JsonObject } from '../caller.ts';
import { LineError } from './line-error.ts';

/** A parameter of the query; undefined: not given, or given several times. */
export function queryText({ query }: FastifyRequest, name: string): string | undefined {
  const value = isObject(query) ? query[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The body as an object. Throws LineError 400. */
export function bodyOf({ body }: FastifyRequest): JsonObject {
  if (isObject(body)) return body;
  throw new LineError(400, 'The request body could not be parsed as JSON (line: 1, column: 1)');
}

/** `yyyyMMdd` as `YYYY-MM-DD`; null: no such day. */
export function toDay(text: string | undefined): string | null {
  if (text === undefined || !/^\d{8}$/.test(text)) return null;
  const day = text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
  return isDay(day) ? day : null;
}

/** A parameter that is a whole number within its range. Throws LineError 400 with LINE's word for the parameter. */
export function wholeNumber(
  text: string | undefined,
  { fallback, max, refusal }: { fallback: number; max: number; refusal: LineError },
): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max) throw refusal;
  return number;
}

export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && /^U[0-9a-f]{32}$/.test(value);
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
