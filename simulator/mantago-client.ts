/** A client of the MantaGo contract's three calls, over HTTP like any program that uses the contract. */
import { isObject, type JsonObject } from '../src/json.ts';
import { secondMs } from '../src/time.ts';

export type Credentials = { botId: string; apiToken: string; apiSecret: string };
type MantagoPath = 'clients/analysis' | 'message/analysis' | 'client/point';

const answerMsMax = 30 * secondMs;

/** The URL of a call. */
export function mantagoAddress(address: string, path: MantagoPath, botId: string): string {
  return `${address}/api/openapi/${path}?botId=${encodeURIComponent(botId)}`;
}

/** Returns the body of the answer. Throws an Error with the answer when the call fails. */
export async function callMantago(
  address: string,
  path: MantagoPath,
  { botId, apiToken, apiSecret }: Credentials,
  fields: JsonObject = {},
): Promise<JsonObject> {
  const response = await fetch(mantagoAddress(address, path, botId), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiToken}` },
    body: JSON.stringify({ secret: apiSecret, ...fields }),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer: unknown = await response.json();
  if (!response.ok || !isObject(answer) || answer.success !== true) {
    throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  return answer;
}
