/** A client of the management API, over HTTP like any program that uses it. */
import { isObject, type JsonObject } from '../src/json.ts';
import { secondMs } from '../src/time.ts';

export type ManagementAccess = { address: string; botId: string; adminToken: string };

const answerMsMax = 30 * secondMs;

/** Gets a path below the bot's, or posts a body to it once for each key. Throws an Error with the answer when the call fails. */
export async function callManagement(
  { address, botId, adminToken }: ManagementAccess,
  path: string,
  post?: { body: object; key: string },
): Promise<JsonObject> {
  const response = await fetch(`${address}/api/v1/bots/${encodeURIComponent(botId)}/${path}`, {
    method: post ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(post && { 'content-type': 'application/json', 'idempotency-key': post.key }),
    },
    body: post ? JSON.stringify(post.body) : null,
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer: unknown = await response.json();
  if (!response.ok || !isObject(answer))
    throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}
