/** Calls about tokens and webhook subscriptions: `/me`, `/debug_token`, `/{app}/subscriptions`, `/{account}/subscribed_apps`. */
import type { FastifyInstance } from 'fastify';
import { secondMs } from '../../src/time.ts';
import { callerOf, countOwnCall, parameter, validToken } from './caller.ts';
import { tokenKinds } from './credentials.ts';
import { GraphError, invalidParameter, permissionMissing } from './graph-error.ts';
import type { GraphParts } from './graph-parts.ts';

const tokenTypes = { page: 'PAGE', instagram: 'USER', whatsapp: 'SYSTEM_USER' } as const;
const webhookUrl = /^https?:\/\//;

export function addTokenCalls(app: FastifyInstance, parts: GraphParts): void {
  const { credentials, tokens, simulation } = parts;
  app.get('/me', async (request, reply) => {
    const kind = callerOf(parts, request);
    if (kind === 'app') throw new GraphError(invalidParameter('An app has no profile'));
    countOwnCall(parts, reply, kind);
    const { pageId, instagramId, businessAccountId } = credentials;
    if (kind === 'page') return { id: pageId, name: 'Sandbox shop' };
    if (kind === 'instagram')
      return { id: `9${instagramId}`, user_id: instagramId, username: 'sandbox.shop' };
    return { id: `7${businessAccountId}`, name: 'Sandbox system user' };
  });

  app.get('/debug_token', async (request) => {
    callerOf(parts, request);
    const inputToken = parameter(request, 'input_token') ?? '';
    const kind = tokenKinds.find((one) => credentials.accessTokens[one] === inputToken);
    if (kind === undefined) return { data: { is_valid: false, scopes: [] } };
    const { expiresAt, scopes } = tokens[kind];
    return {
      data: {
        app_id: credentials.appId,
        type: tokenTypes[kind],
        is_valid: isValid(inputToken),
        expires_at: expiresAt === null ? 0 : Math.floor(expiresAt / secondMs),
        data_access_expires_at: 0,
        scopes,
        profile_id: kind === 'page' ? credentials.pageId : undefined,
      },
    };
  });

  const isValid = (token: string) => {
    try {
      validToken(parts, token);
      return true;
    } catch (error) {
      if (error instanceof GraphError) return false;
      throw error;
    }
  };

  app.post<{ Params: { id: string } }>('/:id/subscriptions', async (request) => {
    if (callerOf(parts, request) !== 'app' || request.params.id !== credentials.appId)
      throw new GraphError(permissionMissing('app access token'));
    const platform = simulation.outbox.platformOf(parameter(request, 'object'));
    const callbackUrl = parameter(request, 'callback_url') ?? '';
    const verifyToken = parameter(request, 'verify_token') ?? '';
    if (platform === undefined) throw new GraphError(invalidParameter('Param object is unknown'));
    if (!webhookUrl.test(callbackUrl) || !URL.canParse(callbackUrl))
      throw new GraphError(invalidParameter('Param callback_url must be a URL'));
    if (await simulation.outbox.subscribe(platform, { callbackUrl, verifyToken })) return { success: true };
    throw new GraphError({
      ...{ status: 400, code: 2200 },
      message:
        '(#2200) Callback verification failed with the following errors: the response does not match challenge',
    });
  });

  app.get<{ Params: { id: string } }>('/:id/subscriptions', async (request) => {
    callerOf(parts, request);
    const data = [...simulation.outbox.subscriptions].map(([object, { callbackUrl }]) => ({
      object,
      callback_url: callbackUrl,
      active: true,
    }));
    return { data };
  });

  app.post('/:id/subscribed_apps', async (request) => {
    callerOf(parts, request);
    return { success: true };
  });
}
