/**
 * The Meta simulator: the Graph API for one page, one Instagram account and one WhatsApp number. It sends their webhooks and knows
 * the true value of every figure. This file assembles its parts. docs/sandbox.md lists the differences from Meta.
 */
import { type Clock, dayMs, systemClock } from '../../src/time.ts';
import { Faults } from '../frame/faults.ts';
import { everyTick } from '../frame/ticks.ts';
import { MetaControl, type MetaSettings } from './control.ts';
import { type MetaCredentials, metaCredentials, newTokens } from './credentials.ts';
import type { GraphParts } from './graph-parts.ts';
import { buildGraphServer } from './graph-server.ts';
import type { MetaDisturbance } from './outbox.ts';
import { MetaRateLimits } from './rate-limits.ts';
import { MetaSimulation } from './simulation.ts';

export type MetaSimulatorOptions = {
  /** Default: the system's. With a stopped clock, time advances by `run` only, and every run gives the same result. */
  clock?: Clock;
  /** Selects the people and their behaviour. */
  seed?: number;
  /** 0: any free port. */
  port?: number;
  host?: string;
  /** Approximate number of people of each platform at the start. */
  people?: number;
  pastDays?: number;
  credentials?: Partial<MetaCredentials>;
  disturbance?: Partial<MetaDisturbance>;
  /** Default 200 for each account; null: no limit. */
  callsPerHour?: number | null;
  /** Default 12, from the end of a day. */
  readyAfterHours?: number;
  /** True: the simulation runs every second. */
  isLive?: boolean;
};

export type MetaSimulator = {
  /** `http://127.0.0.1:8091` */
  address: string;
  credentials: MetaCredentials;
  control: MetaControl;
  close(): Promise<void>;
};

const instagramTokenDays = 60;

/** Starts it. Resolves when the server listens. `close` releases all resources. */
export async function startMetaSimulator(options: MetaSimulatorOptions = {}): Promise<MetaSimulator> {
  const { seed = 1, port = 0, host = '127.0.0.1', clock = systemClock } = options;
  const { callsPerHour = 200, readyAfterHours = 12, people = 60, pastDays = 60 } = options;
  const credentials = metaCredentials(seed, options.credentials);
  const settings: MetaSettings = {
    ...{ callsPerHour, readyAfterHours, pageLikes: 1_200, quality: 'GREEN', messagingLimit: 'TIER_2K' },
  };
  const disturbance = { batchMax: 1, repeatShare: 0, lateMinutesMax: 0, ...options.disturbance };
  const simulation = new MetaSimulation({ clock, seed, people, pastDays, credentials, disturbance });
  const now = () => simulation.now();
  const tokens = newTokens(now() + instagramTokenDays * dayMs);
  const faults = new Faults();
  const graphFaults: GraphParts['graphFaults'] = [];
  const limits = new MetaRateLimits(callsPerHour);
  const control = new MetaControl({
    ...{ simulation, faults, graphFaults, limits, settings, tokens },
    phoneNumber: credentials,
  });
  let address = '';
  const app = buildGraphServer({
    ...{ simulation, settings, control, faults, graphFaults, limits, tokens, credentials, now },
    address: () => address,
  });
  address = await app.listen({ port, host });
  const stopTicks = options.isLive ? everyTick(() => control.run({})) : () => undefined;
  return {
    ...{ address, credentials, control },
    async close() {
      stopTicks();
      await app.close();
      await simulation.inTurn(async () => undefined);
    },
  };
}
