/**
 * A reading call of the management API with the caller's token. Over HTTP it runs in the same process, on stdio it goes to a server.
 */
import { isObject, type JsonObject } from '../../json.ts';

/** `path` with its query. Never throws for an answer of the API; `body` of an error is its problem details. */
export type ApiCall = (path: string) => Promise<ApiAnswer>;
export type ApiAnswer = { status: number; body: JsonObject };
type Query = Readonly<Record<string, unknown>>;

/** Returned by the API for an invalid call or a missing right. */
export class ApiProblem extends Error {}

/** Returns the body of the success answer. Throws ApiProblem with the code and the detail of the error. */
export async function readApi(call: ApiCall, path: string, query: Query = {}): Promise<JsonObject> {
  const values = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null)
    // Lists have commas between their items.
    .map(([name, value]): [string, string] => [name, String(value)]);
  const search = new URLSearchParams(values).toString();
  const { status, body } = await call(search === '' ? path : `${path}?${search}`);
  if (status === 200) return body;
  throw new ApiProblem(`${body.code ?? status}: ${body.detail ?? body.title ?? 'The call failed.'}`);
}

/** The token of the caller. */
export const ownTokenPath = '/api/v1/admin-tokens/own';

/** The JSON object of a text; `{}` for any other text. */
export function toBody(text: string): JsonObject {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}
