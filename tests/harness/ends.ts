/**
 * The part of a test that the harness needs to clean up. The proof, which runs outside of tests, implements it, too.
 */
import type { TestContext } from 'node:test';

export type Ends = Pick<TestContext, 'after'>;
