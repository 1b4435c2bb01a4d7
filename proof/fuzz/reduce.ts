/** Reduces a failing call to a small one that fails in the same way. */
import type { Call } from './calls.ts';

const repetitionsMax = 80;

/** `fails` makes the call and returns whether it fails in the same way. */
export async function reduced(
  call: Call,
  fails: (call: Call) => Promise<boolean>,
): Promise<{ call: Call; isRepeatable: boolean }> {
  if (!(await fails(call))) return { call, isRepeatable: false };
  let smallest = call;
  let repetitions = 0;
  let isSmaller = true;
  while (isSmaller && repetitions < repetitionsMax) {
    isSmaller = false;
    for (const candidate of smallerCalls(smallest)) {
      if (++repetitions > repetitionsMax) break;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return { call: smallest, isRepeatable: true };
}

function* smallerCalls(call: Call): Generator<Call> {
  if (call.bytes !== null && call.body !== undefined) yield { ...call, bytes: null };
  for (const name of Object.keys(call.headers)) {
    const { [name]: _, ...headers } = call.headers;
    yield { ...call, headers };
  }
  for (const index of call.query.keys()) yield { ...call, query: call.query.toSpliced(index, 1) };
  if (call.bytes !== null && call.bytes.length > 1) {
    yield { ...call, bytes: call.bytes.subarray(0, call.bytes.length >> 1) };
    yield { ...call, bytes: call.bytes.subarray(call.bytes.length >> 1) };
  } else for (const body of smallerValues(call.body)) yield { ...call, body };
}

/** The value without one member or item, or with a shorter text, at any depth. */
export function* smallerValues(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    if (value.length > 3) {
      yield value.slice(0, value.length >> 1);
      yield value.slice(value.length >> 1);
    } else for (const index of value.keys()) yield value.toSpliced(index, 1);
    for (const [index, item] of value.slice(0, 3).entries())
      for (const smaller of smallerValues(item)) yield value.with(index, smaller);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const smaller of smallerValues(member)) yield { ...value, [name]: smaller };
    }
  } else if (typeof value === 'string' && value.length > 1 && !value.startsWith('@raw:')) {
    yield value.slice(0, value.length >> 1);
    yield value.slice(value.length >> 1);
  }
}
