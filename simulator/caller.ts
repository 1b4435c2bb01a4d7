/** The three calls of the MantaGo contract, made over HTTP as any program written for it would. */
import { secondMs } from '../src/time.ts';

export type Credentials = { botId: string; apiToken: string; apiSecret: string };
export type MantagoPath = 'clients/analysis' | 'message/analysis' | 'client/point';
export type JsonObject = Record<string, unknown>;

const answerMsMax = 30 * secondMs;

/** The address of a call. */
export function mantagoAddress(address: string, path: MantagoPath, botId: string): string {
  return `${address}/api/openapi/${path}?botId=${encodeURIComponent(botId)}`;
}

/** The body of the call's answer. Throws an Error that shows the answer when it is not a success. */
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

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
