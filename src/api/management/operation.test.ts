/**
 * The types of handlers. The types check proves this file: an unused `@ts-expect-error` is an error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, Operations } from './operation.ts';

test('a handler that differs from the contract does not compile', () => {
  const wrong: Partial<Operations> = {
    // @ts-expect-error nextCursor is missing in the answer
    listBots: async () => ({ bots: [] }),
    // @ts-expect-error the number of events is no text
    replaySetAside: async () => ({ replayed: 'all' }),
    // @ts-expect-error the path has no contact
    getBot: async ({ params }) => params.contactId,
    // @ts-expect-error the body has no such member
    createBot: async ({ body }) => body.nickname,
    // @ts-expect-error an open operation has no caller
    createSession: { isOpen: true, answer: async ({ caller }) => caller.id },
  };
  assert.equal(Object.keys(wrong).length, 5);
});

test('a default of the contract is always there, other parameters may be missing', () => {
  const { limit, cursor }: Call<'listBots'>['query'] = { limit: 50 };
  const next: number = limit + 1;
  // @ts-expect-error the cursor may be missing
  const text: string = cursor;
  assert.deepEqual([next, text], [51, undefined]);
});
