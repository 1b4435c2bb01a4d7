/** The demo's page, Instagram account and WhatsApp number: a send on each, Meta's own figures, and the people of all platforms. */
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { platformIdOf, type SimulatedEvent } from '../../simulator/events/event.ts';
import { callManagement, type ManagementAccess } from '../../simulator/management-client.ts';
import { type MetaPlatform, metaPlatforms } from '../../simulator/meta/people.ts';
import type { MetaSimulator } from '../../simulator/meta/simulator.ts';
import { peopleIn, type World } from '../../simulator/world.ts';
import { readNames } from '../contacts/names.ts';
import { Refusal } from '../errors.ts';
import { settledMs } from '../inbox/settled-page.ts';
import { LineAccess } from '../line/access.ts';
import { LineClient } from '../line/line-client.ts';
import { LineProfiles } from '../line/people/line-profiles.ts';
import { GraphClient } from '../meta/graph-client.ts';
import { MetaProfiles } from '../meta/meta-profiles.ts';
import { ProfileFetcher } from '../profiles/fetcher.ts';
import { hourMs, secondMs } from '../time.ts';
import { collectMeta } from './collect-meta.ts';
import type { DemoPlatforms } from './demo-days.ts';
import { demoCallsPerHour } from './demo-line.ts';
import type { Stage } from './demo-live.ts';

/** Within Meta's window of 24 hours after a person's last message. */
const windowMs = 20 * hourMs;
const sendText = 'We pack your order today. Can we help you with anything else?';
const checkMs = secondMs / 10;
const sendMsMax = 60 * secondMs;
const profilesPerSecond = 10_000;
/** Longer than the pause of a channel after 50 calls at this rate. */
const roundPauseMs = 10;

/**
 * Sends once on each of Meta's platforms: a text to the people who have just written, on WhatsApp a template. Returns the messages that
 * the platforms have sent; none in a later run of the same bot.
 */
export async function sendOnMeta(
  access: ManagementAccess,
  { control }: MetaSimulator,
  world: World,
): Promise<SimulatedEvent[]> {
  const { sends } = await callManagement(access, 'sends');
  if (Array.isArray(sends) && sends.length > 0) return [];
  const earlierIds = new Set(control.deliveredEvents().map(({ id }) => id));
  for (const platform of metaPlatforms) {
    const body = sendOf(platform, world);
    if (body.contacts.length === 0) continue;
    const { sendId } = await callManagement(access, 'sends', { body, key: `demo-${platform}` });
    for (let waitedMs = 0; waitedMs < sendMsMax; waitedMs += checkMs) {
      const { state } = await callManagement(access, `sends/${sendId}`);
      if (state === 'done') break;
      await pause(checkMs);
    }
  }
  return control.deliveredEvents().filter(({ id }) => !earlierIds.has(id));
}

function sendOf(platform: MetaPlatform, { events, until }: World) {
  const isRecent = ({ at }: SimulatedEvent) => at > until - windowMs;
  const ofPlatform = events.filter((event) => event.platform === platform);
  const chosen =
    platform === 'whatsapp' ? peopleIn(ofPlatform).slice(-25) : peopleIn(ofPlatform.filter(isRecent));
  const template = { name: 'order_update', language: 'en', parameters: [] };
  return {
    ...{ name: 'Orders of today', platform, contacts: chosen.map(platformIdOf) },
    message: platform === 'whatsapp' ? { whatsAppTemplate: template } : { text: sendText },
  };
}

/** Collects Meta's own figures from the simulator. */
export async function collectMetaFigures(
  { context, credentials }: Stage,
  { address }: MetaSimulator,
  signal: AbortSignal,
): Promise<void> {
  const apis = { graphApi: address, instagramApi: address };
  const config = { ...context.config(), ...apis, metaCallsPerHour: demoCallsPerHour };
  const { done } = await collectMeta(context, config, { bots: [credentials.botId], history: false }, signal);
  if (!done && !signal.aborted) throw new Refusal('INPUT_INVALID', "Meta's figures could not be collected.");
}

/** Reads the names and pictures of new people from the platforms. The server of the demo does not do it by itself. */
export async function readPeople({ context }: Stage, { line, meta }: DemoPlatforms): Promise<void> {
  const { clock } = context;
  const lineClient = new LineClient(line.address);
  const graph = new GraphClient({ facebook: meta.address, instagram: meta.address });
  const onCall = () => undefined;
  await context.withDatabase(async (sql) => {
    const fetcher = new ProfileFetcher({
      ...{ sql, clock, keys: await context.keys(sql), log: pino({ level: 'silent' }) },
      perSecond: profilesPerSecond,
      sources: [
        new LineProfiles(lineClient, new LineAccess(lineClient, { clock, onCall }), onCall),
        new MetaProfiles('facebook', graph, onCall),
        new MetaProfiles('instagram', graph, onCall),
      ],
    });
    try {
      while ((await fetcher.round()) > 0) await pause(roundPauseMs);
      // WhatsApp's names are in its webhooks, which are all stored.
      while ((await readNames(sql, { now: clock() + settledMs })).more);
    } finally {
      await fetcher.stop();
    }
  });
}
