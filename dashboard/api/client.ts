/**
 * The client of the management API, typed by its contract (contracts/management.yaml).
 *
 * `send` adds the session's cookie and `X-CSRF-Token`, and throws an ApiError for every problem. A 401 ends the session here too:
 * the app then shows the sign-in page and returns afterwards (state/session.ts).
 */
import createClient, {
  type ClientPathsWithMethod,
  createFinalURL,
  createQuerySerializer,
  defaultPathSerializer,
  type MethodResponse,
} from 'openapi-fetch';
import type { components, paths } from '../../contracts/types/management.ts';

/** Types of the contract: `Schema['Contact']`. */
export type Schema = components['schemas'];

/** A problem that the API or the network reported. */
export class ApiError extends Error {
  override name = 'ApiError';
  /** HTTP status; 0 if the server did not answer. */
  readonly status: number;
  /** A code of docs/errors.md; `UNREACHABLE` if the server did not answer. */
  readonly code: string;
  /** Seconds to wait before a retry, if the API sent them. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, { code, detail }: Problem, retryAfterSeconds: number | null = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

type Problem = Pick<Schema['Problem'], 'code' | 'detail'>;

// Lists in queries are separated by commas.
const querySerializer = createQuerySerializer({ array: { style: 'form', explode: false } });

/** Calls an operation of the contract. Throws ApiError, so every returned answer is a success. */
export const api = createClient<paths>({
  fetch: send,
  credentials: 'same-origin',
  cache: 'no-store',
  headers: { accept: 'application/json' },
  querySerializer,
});

/** The body of an answer. */
export async function bodyOf<Body>(call: Promise<{ data?: Body }>): Promise<Body> {
  const { data } = await call;
  // `send` has thrown for any answer without the body of the contract.
  return data as Body;
}

type ReadPath = ClientPathsWithMethod<typeof api, 'get'>;
type ReadParameters<Path extends ReadPath> = paths[Path] extends { get: { parameters: infer Given } }
  ? PathOf<Given> & { query?: QueryOf<Given> }
  : never;
type PathOf<Given> = Given extends { path: infer Ids } ? { path: Ids } : { path?: never };
type QueryOf<Given> = Given extends { query?: infer Query }
  ? { [Name in keyof Query]?: Query[Name] | undefined }
  : never;

/** Something to read from the API. */
export type Resource<Answer> = {
  /** Identifies the resource: two of the same URL have the same answer. */
  url: string;
  load(init: { headers?: Record<string, string>; signal?: AbortSignal }): Promise<{
    data?: Answer;
    response: Response;
  }>;
};

/** The resource of a path with its parameters. */
export function resource<Path extends ReadPath>(
  path: Path,
  params: ReadParameters<Path>,
): Resource<MethodResponse<typeof api, 'get', Path>> {
  return {
    url: urlOf(path, params),
    // TypeScript cannot relate the parameters of a generic path to those of the client.
    load: (init) => api.GET(path, { params, ...init } as never) as ReturnType<Resource<never>['load']>,
  };
}

/** The URL of a path with its parameters, for links: the browser sends the session's cookie. */
export function urlOf<Path extends ReadPath>(path: Path, params: ReadParameters<Path>): string {
  return createFinalURL(path, {
    baseUrl: '',
    params,
    querySerializer,
    pathSerializer: defaultPathSerializer,
  });
}

let csrfToken: string | null = null;
let whenSignedOut: () => void = () => undefined;
let findCsrfToken: () => Promise<void> = async () => undefined;

/** Sets the session's CSRF token; null without a session. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Sets the handler for the end of the session. */
export function onSignedOut(act: () => void): void {
  whenSignedOut = act;
}

/** Sets the handler that reloads a stale CSRF token: another tab may have started a new session. */
export function onStaleToken(find: () => Promise<void>): void {
  findCsrfToken = find;
}

async function send(request: Request): Promise<Response> {
  const usedToken = csrfToken;
  const copy = request.clone();
  try {
    return await sendOnce(request);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'CSRF_TOKEN_INVALID') throw error;
    await findCsrfToken();
    if (csrfToken === usedToken) throw error;
    return sendOnce(copy);
  }
}

/** Wrong credentials, which say nothing about a session. */
const signInCodes: ReadonlySet<string> = new Set(['SIGN_IN_FAILED', 'SETUP_LINK_INVALID']);

async function sendOnce(request: Request): Promise<Response> {
  if (request.method !== 'GET' && csrfToken !== null) request.headers.set('x-csrf-token', csrfToken);
  const response = await fetch(request).catch((error: unknown) => {
    if (request.signal.aborted) throw error;
    throw new ApiError(0, { code: 'UNREACHABLE', detail: String(error) });
  });
  if (response.ok || response.status === 304) return response;
  const error = await errorOf(response);
  // A call with a token of its own says nothing about the session.
  const isOfSession = !request.headers.has('authorization') && !signInCodes.has(error.code);
  if (response.status === 401 && isOfSession) whenSignedOut();
  throw error;
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
