/**
 * MantaGo's call that sets where a bot's changes are told. What the published documents leave open is chosen in
 * docs/webhooks-out.md.
 */
import { Refusal } from '../../errors.ts';
import { setCallback } from '../../webhooks-out/endpoints.ts';
import { type MantagoOperation, proven, type Sent, type Sources, success } from './operation.ts';

/** The operation, writing to the given sources. */
export function callbackOperations(sources: Sources): Record<string, MantagoOperation> {
  return {
    setCustomerCallback: proven(sources, {
      problemOf: twoAddressesProblem,
      answer: (botId, { body }) => answerCallback(sources, { botId, url: String(body.callback) }),
    }),
  };
}

/** The contract wants the address twice; two different ones would leave open which is meant. */
function twoAddressesProblem({ body, query }: Sent): string | null {
  return body.callback === query.customerCallbackUrl
    ? null
    : 'callback in the body and customerCallbackUrl in the query must be the same';
}

/** The contract's answer has no room for the secret: its owner gets one with `shoal callback rotate`. */
async function answerCallback(sources: Sources, { botId, url }: { botId: string; url: string }) {
  try {
    await setCallback(sources.sql, { botId, url }, { ...sources, now: sources.clock() });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'INPUT_INVALID') throw error;
    throw new Refusal('VARIABLES_INVALID', error.message);
  }
  return { ...success('Set customer callback url successfully'), customerCallbackUrl: url };
}
