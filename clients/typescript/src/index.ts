/**
 * Typed clients for Shoal's APIs. Paths, parameters, bodies and answers have the types of the API documents.
 */
import createClient, { type Client, type ClientOptions } from 'openapi-fetch';
import type { paths as LineInsightPaths } from '../../../contracts/types/line-insight.js';
import type { paths as ManagementPaths } from '../../../contracts/types/management.js';
import type { paths as MantagoPaths } from '../../../contracts/types/mantago.js';

export type { components as LineInsightComponents } from '../../../contracts/types/line-insight.js';
export type { components as ManagementComponents } from '../../../contracts/types/management.js';
export type { components as MantagoComponents } from '../../../contracts/types/mantago.js';

export type LineInsightClient = Client<LineInsightPaths>;
export type ManagementClient = Client<ManagementPaths>;
export type MantagoClient = Client<MantagoPaths>;

export type Options = Pick<ClientOptions, 'fetch'> & {
  /** The address of the Shoal server, such as `https://shoal.example`. */
  baseUrl: string;
  /** The token of the `Authorization` header. */
  token: string;
};

/** MantaGo's OpenAPI. The token is a bot's API token; each body also needs the bot's API secret. */
export function createMantagoClient(options: Options): MantagoClient {
  return createClient<MantagoPaths>(withToken(options));
}

/** LINE's Insight API. The token is the channel's access token, or one of Shoal's own tokens for LINE's calls. */
export function createLineInsightClient(options: Options): LineInsightClient {
  return createClient<LineInsightPaths>(withToken(options));
}

/** Shoal's management API. The token is an admin token. */
export function createManagementClient(options: Options): ManagementClient {
  return createClient<ManagementPaths>({ ...withToken(options), querySerializer: { array: commaSeparated } });
}

/** The management API's lists: `platforms=line,facebook`. */
const commaSeparated = { style: 'form', explode: false } as const;

function withToken({ token, ...options }: Options): ClientOptions {
  return { ...options, headers: { authorization: `Bearer ${token}` } };
}
