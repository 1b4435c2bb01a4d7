/**
 * Calls to the management API, which is all that the dashboard knows: JSON, the session's cookie, `X-CSRF-Token` on whatever
 * changes something, and problem details as errors.
 *
 * An answer of 401 ends the session here, too: the reader is led to the sign-in page and back (session.ts).
 */

/** What went wrong, as the API or the network tells it. */
export class ApiError extends Error {
  override name = 'ApiError';
  /** HTTP status; 0: nobody answered. */
  readonly status: number;
  /** As in docs/errors.md; `UNREACHABLE` when nobody answered. */
  readonly code: string;
  /** Seconds after which the call may be repeated, where the API said so. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, { code, detail }: Problem, retryAfterSeconds: number | null = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON; a Blob as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** What is held of an answer, to be told only when it has changed. */
export type Held<Value> = { value: Value; tag: string | null };

type Problem = { code: string; detail: string };

const prefix = '/api/v1';
let csrfToken: string | null = null;
let whenSignedOut: () => void = () => undefined;
let findCsrfToken: () => Promise<void> = async () => undefined;

/** The session's token, which the browser does not send by itself; null: there is no session. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** What is done when the API answers that there is no session any more. */
export function onSignedOut(act: () => void): void {
  whenSignedOut = act;
}

/** How the session's token is found anew: somebody may have signed in again in another tab. */
export function onStaleToken(find: () => Promise<void>): void {
  findCsrfToken = find;
}

/**
 * Asks for `/api/v1` + path and gives the answer's body; undefined when it has none. Throws ApiError. The type is the caller's
 * word for what the contract says of the operation.
 */
export async function call<Value = undefined>(path: string, options: Call = {}): Promise<Value> {
  const response = await send(path, options);
  return readValue<Value>(response);
}

/** Asks for what may have changed since `held`; gives `held` itself when it has not (304). Throws ApiError. */
export async function callUnlessHeld<Value>(
  path: string,
  held: Held<Value> | null,
  signal: AbortSignal,
): Promise<Held<Value>> {
  const headers: Record<string, string> = held?.tag ? { 'if-none-match': held.tag } : {};
  const response = await send(path, { headers, signal });
  if (response.status === 304 && held) return held;
  return { value: await readValue<Value>(response), tag: response.headers.get('etag') };
}

/** A path with a query; values that are null or undefined are left out, lists are joined by commas. */
export function pathOf(
  path: string,
  query: Record<string, string | number | readonly string[] | null | undefined>,
): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, String(value)]],
  );
  return parts.length === 0 ? path : `${path}?${new URLSearchParams(parts)}`;
}

/** The address of a file, for links: the browser fetches it with the session's cookie. */
export function addressOf(path: string): string {
  return prefix + path;
}

async function send(path: string, options: Call): Promise<Response> {
  const held = csrfToken;
  try {
    return await sendOnce(path, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'CSRF_TOKEN_INVALID') throw error;
    await findCsrfToken();
    if (csrfToken === held) throw error;
    return sendOnce(path, options);
  }
}

async function sendOnce(
  path: string,
  { method = 'GET', body, headers = {}, signal }: Call,
): Promise<Response> {
  const isRaw = body instanceof Blob;
  const response = await fetch(`${prefix}${path}`, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      accept: 'application/json',
      ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
      ...(method === 'GET' || csrfToken === null ? {} : { 'x-csrf-token': csrfToken }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { code: 'UNREACHABLE', detail: String(error) });
  });
  if (response.ok || response.status === 304) return response;
  const error = await errorOf(response);
  // A call that shows a token of its own says nothing about the session.
  const isOfSession = headers.authorization === undefined && error.code !== 'SIGN_IN_FAILED';
  if (response.status === 401 && isOfSession) whenSignedOut();
  throw error;
}

async function readValue<Value>(response: Response): Promise<Value> {
  const text = await response.text();
  // The server checks what it answers against the same contract.
  return (text === '' ? undefined : JSON.parse(text)) as Value;
}

async function errorOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const problem = await response.json().then(problemOf, () => null);
  return new ApiError(
    response.status,
    problem ?? { code: `HTTP_${response.status}`, detail: response.statusText },
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

function problemOf(body: unknown): Problem | null {
  if (typeof body !== 'object' || body === null || !('code' in body) || !('detail' in body)) return null;
  return { code: String(body.code), detail: String(body.detail) };
}
