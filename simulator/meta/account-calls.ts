/** Calls about the accounts and their people: fields, profiles, pictures, insights, WhatsApp analytics. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addDays, dayMs, dayOf, dayStart, daysBetween, hourMs, secondMs } from '../../src/time.ts';
import { type Person, personKey } from '../events/event.ts';
import { nameOf } from '../events/texts.ts';
import { addPictures } from '../frame/pictures.ts';
import { insightsZone, pageMetrics, templateId, templates } from './account.ts';
import { authorize, parameter } from './caller.ts';
import { type Field, readFields } from './fields.ts';
import { GraphError, invalidParameter, tooFewLikes, unknownObject } from './graph-error.ts';
import type { GraphParts } from './graph-parts.ts';
import { pageOf } from './pages.ts';
import { hasProfile, type MetaPerson } from './people.ts';

const daysPerCall = 90;
const instagramLookbackDays = 30;
const analyticsLookbackDays = 366;
const templateLookbackDays = 91;
const templatesPerCall = 10;
const templatePageSize = 25;
const instagramScopes = {
  page: 'instagram_manage_insights',
  instagram: 'instagram_business_manage_insights',
};

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addAccountCalls(app: FastifyInstance, parts: GraphParts): void {
  const { credentials } = parts;
  app.get<{ Params: { id: string } }>('/:id', async (request, reply) => {
    const { id } = request.params;
    const fields = readFields(parameter(request, 'fields') ?? 'id');
    if (id === credentials.pageId) return pageFields(parts, request, reply);
    if (id === credentials.instagramId) return instagramFields(parts, request, reply);
    if (id === credentials.phoneNumberId) return phoneFields(parts, request, reply);
    if (id === credentials.businessAccountId) return analytics(parts, fields, request, reply);
    return profile(parts, request, reply);
  });
  app.get<{ Params: { id: string } }>('/:id/insights', async (request, reply) => {
    const { id } = request.params;
    if (id === credentials.pageId) return pageInsights(parts, request, reply);
    if (id === credentials.instagramId) return instagramInsights(parts, request, reply);
    throw new GraphError(unknownObject(id));
  });
  app.get<{ Params: { id: string } }>('/:id/message_templates', async (request, reply) => {
    authorizeWhatsapp(parts, request, reply);
    const data = templates.map((name, index) => ({ id: templateId(index), name, status: 'APPROVED' }));
    const limit = Number(parameter(request, 'limit') ?? templatePageSize);
    return pageOf(data, { after: parameter(request, 'after'), limit });
  });
  app.get<{ Params: { id: string } }>('/:id/template_analytics', async (request, reply) =>
    templateAnalytics(parts, request, reply),
  );
  addPictures(app);
}

function pageFields(parts: GraphParts, request: ById, reply: FastifyReply): object {
  authorize(parts, request, reply, { platform: 'facebook', scopes: { page: 'pages_read_engagement' } });
  const followers = parts.simulation.account.followersAt('facebook', parts.now());
  return { id: parts.credentials.pageId, name: 'Sandbox shop', followers_count: followers };
}

function instagramFields(parts: GraphParts, request: ById, reply: FastifyReply): object {
  const scopes = { page: 'instagram_basic', instagram: 'instagram_business_basic' };
  authorize(parts, request, reply, { platform: 'instagram', scopes });
  const followers = parts.simulation.account.followersAt('instagram', parts.now());
  return { id: parts.credentials.instagramId, username: 'sandbox.shop', followers_count: followers };
}

function phoneFields(parts: GraphParts, request: ById, reply: FastifyReply): object {
  authorizeWhatsapp(parts, request, reply);
  const { quality, messagingLimit } = parts.settings;
  return {
    id: parts.credentials.phoneNumberId,
    display_phone_number: parts.credentials.phoneNumber,
    verified_name: 'Sandbox shop',
    quality_rating: quality,
    whatsapp_business_manager_messaging_limit: messagingLimit,
  };
}

function profile(parts: GraphParts, request: ById, reply: FastifyReply): object {
  const { id } = request.params;
  const { account } = parts.simulation;
  const onPage = account.findById('facebook', id);
  const platform = onPage ? 'facebook' : 'instagram';
  const scopes =
    platform === 'facebook'
      ? { page: 'pages_messaging' }
      : { page: 'instagram_manage_messages', instagram: 'instagram_business_manage_messages' };
  authorize(parts, request, reply, { platform, scopes });
  const person = onPage ?? account.findById('instagram', id);
  if (!person || !hasProfile(person)) throw new GraphError(unknownObject(id));
  return platform === 'facebook' ? pageProfile(parts, person) : instagramProfile(parts, person);
}

/** Messenger's first and last name of a person. */
export function namesOnPage(person: Person): [first: string, last: string] {
  const name = nameOf(personKey(person));
  const [first, last] = name.split(' ');
  if (first !== undefined && last !== undefined) return [first, last];
  const [family = '', ...given] = [...name];
  return [given.join(''), family];
}

function pageProfile({ address }: GraphParts, { person }: MetaPerson): object {
  const [first_name, last_name] = namesOnPage(person);
  return { id: person.id, first_name, last_name, profile_pic: `${address()}/pictures/${person.id}.png` };
}

function instagramProfile({ address }: GraphParts, { person }: MetaPerson): object {
  return {
    id: person.id,
    name: nameOf(personKey(person)),
    username: `person.${person.id}`,
    profile_pic: `${address()}/pictures/${person.id}.png`,
  };
}

function pageInsights(parts: GraphParts, request: ById, reply: FastifyReply): object {
  authorize(parts, request, reply, { platform: 'facebook', scopes: { page: 'read_insights' } });
  if (parts.settings.pageLikes < 100) throw new GraphError(tooFewLikes);
  const requested = (parameter(request, 'metric') ?? '').split(',');
  const metrics = pageMetrics.filter((metric) => requested.includes(metric));
  if (metrics.length !== requested.length)
    throw new GraphError(invalidParameter('The value must be a valid insights metric'));
  const days = insightDays(parts, request, daysPerCall);
  const { account } = parts.simulation;
  const data = metrics.map((name) => ({
    name,
    period: 'day',
    values: days.map((day) => ({ value: account.pageMetric(name, day), end_time: endTime(day) })),
    id: `${parts.credentials.pageId}/insights/${name}/day`,
  }));
  return { data };
}

function instagramInsights(parts: GraphParts, request: ById, reply: FastifyReply): object {
  authorize(parts, request, reply, { platform: 'instagram', scopes: instagramScopes });
  if (parameter(request, 'metric') !== 'follower_count')
    throw new GraphError(invalidParameter('metric[0] must be follower_count'));
  const { account } = parts.simulation;
  const earliest = dayOf(parts.now() - instagramLookbackDays * dayMs, 'UTC');
  const days = insightDays(parts, request, instagramLookbackDays);
  if ((days[0] ?? earliest) < earliest)
    throw new GraphError(
      invalidParameter('(follower_count) metric only supports querying data for the last 30 days'),
    );
  const values = days.map((day) => ({
    value: account.newFollowersOn('instagram', day),
    end_time: endTime(day),
  }));
  return { data: [{ name: 'follower_count', period: 'day', values }] };
}

/** The days from `since` to before `until` (Unix times) whose figures are ready. */
function insightDays(
  { settings, now, simulation }: GraphParts,
  request: FastifyRequest,
  daysMax: number,
): string[] {
  const [since, until] = ['since', 'until'].map((name) => Number(parameter(request, name)) * secondMs);
  if (!since || !until || until <= since)
    throw new GraphError(invalidParameter('since must be before until'));
  if (until - since > daysMax * dayMs + 1)
    throw new GraphError(
      invalidParameter(`There cannot be more than ${daysMax} days between since and until`),
    );
  const lastReady = addDays(dayOf(now() - settings.readyAfterHours * hourMs, insightsZone), -1);
  const days = daysBetween(dayOf(since, 'UTC'), addDays(dayOf(until - 1, 'UTC'), 0));
  return days.filter((day) => day <= lastReady && day >= simulation.account.firstDay);
}

function endTime(day: string): string {
  const end = dayStart(addDays(day, 1), insightsZone);
  return new Date(end).toISOString().replace('.000Z', '+0000');
}

function analytics(parts: GraphParts, fields: readonly Field[], request: ById, reply: FastifyReply): object {
  authorizeWhatsapp(parts, request, reply);
  const { businessAccountId: id, phoneNumber } = parts.credentials;
  const field = fields.find(({ name }) => name === 'analytics');
  if (field === undefined) return { id, name: 'Sandbox shop' };
  const { start, end, granularity, phone_numbers: numbers } = field.parameters;
  if (granularity !== 'DAY') throw new GraphError(invalidParameter('granularity must be DAY'));
  const days = analyticsDays(parts, { start, end, lookbackDays: analyticsLookbackDays });
  const isCounted =
    numbers === undefined ||
    numbers
      .replace(/[[\]"\s]/g, '')
      .split(',')
      .includes(phoneNumber);
  const data_points = days.flatMap((day) => {
    const counts = parts.simulation.account.analyticsOn(day);
    // Days without messages are omitted.
    return counts.sent === 0 || !isCounted ? [] : [{ ...timesOf(day), ...counts }];
  });
  return { analytics: { phone_numbers: [phoneNumber], granularity, data_points }, id };
}

function templateAnalytics(parts: GraphParts, request: ById, reply: FastifyReply): object {
  authorizeWhatsapp(parts, request, reply);
  const ids: unknown = JSON.parse(parameter(request, 'template_ids') ?? '[]');
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > templatesPerCall)
    throw new GraphError(invalidParameter('template_ids must have 1 to 10 ids'));
  const [start, end] = [parameter(request, 'start'), parameter(request, 'end')];
  const days = analyticsDays(parts, { start, end, lookbackDays: templateLookbackDays });
  const data_points = days.flatMap((day) =>
    ids.flatMap((id: unknown) => {
      const index = templates.findIndex((_, place) => templateId(place) === String(id));
      if (index < 0) return [];
      const { clicked, ...counts } = parts.simulation.account.templateAnalyticsOn(day, index);
      const clicks =
        clicked === 0 ? {} : { clicked: [{ type: 'url_button', button_content: 'Open', count: clicked }] };
      return counts.sent === 0 ? [] : [{ template_id: String(id), ...timesOf(day), ...counts, ...clicks }];
    }),
  );
  return { data: [{ granularity: 'DAILY', product_type: 'cloud_api', data_points }] };
}

function analyticsDays(
  { now }: GraphParts,
  { start, end, lookbackDays }: { start: string | undefined; end: string | undefined; lookbackDays: number },
): string[] {
  const [from, until] = [start, end].map((text) => Number(text) * secondMs);
  if (!from || !until || until <= from) throw new GraphError(invalidParameter('start must be before end'));
  if (from < now() - lookbackDays * dayMs)
    throw new GraphError(
      invalidParameter(`start is outside of the lookback window of ${lookbackDays - 1} days`),
    );
  const last = Math.min(until - 1, now());
  return from > last ? [] : daysBetween(dayOf(from, 'UTC'), dayOf(last, 'UTC'));
}

function timesOf(day: string): { start: number; end: number } {
  const start = dayStart(day, 'UTC') / secondMs;
  return { start, end: start + dayMs / secondMs };
}

function authorizeWhatsapp(parts: GraphParts, request: FastifyRequest, reply: FastifyReply): void {
  const scopes = { whatsapp: 'whatsapp_business_management' };
  authorize(parts, request, reply, { platform: 'whatsapp', scopes });
}
