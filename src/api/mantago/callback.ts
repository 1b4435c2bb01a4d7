/**
 * MantaGo's call that sets the address of a bot's webhooks. docs/webhooks-out.md has the choices where the published documents
 * say nothing.
 */
import { Refusal } from '../../errors.ts';
import { setCallback } from '../../webhooks-out/endpoints.ts';
import { type Operations, proven, type Sent, type Sources, success } from './operation.ts';

export function callbackOperations(sources: Sources) {
  return {
    setCustomerCallback: proven(sources, {
      problemOf: twoAddressesProblem,
      answer: (botId, { body }) => answerCallback(sources, { botId, url: body.callback }),
    }),
  } satisfies Partial<Operations>;
}

/** The contract demands the address twice. Two different ones would be ambiguous. */
function twoAddressesProblem({ body, query }: Sent<'setCustomerCallback'>): string | null {
  return body.callback === query.customerCallbackUrl
    ? null
    : 'callback in the body and customerCallbackUrl in the query must be the same';
}

/** The contract's answer has no member for the secret: its owner gets one with `shoal callback rotate`. */
async function answerCallback(sources: Sources, { botId, url }: { botId: string; url: string }) {
  try {
    await setCallback(sources.sql, { botId, url }, { ...sources, now: sources.clock() });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'INPUT_INVALID') throw error;
    throw new Refusal('VARIABLES_INVALID', error.message);
  }
  return { ...success('Set customer callback url successfully'), customerCallbackUrl: url };
}
