/**
 * The LINE simulator: a server that answers LINE's calls for one account, sends its webhooks, and knows the true value of every
 * figure. This file assembles its parts. docs/sandbox.md lists the differences from LINE.
 */
import { type Clock, systemClock } from '../../src/time.ts';
import { hexOf } from '../events/random.ts';
import { Faults } from '../frame/faults.ts';
import { everyTick } from '../frame/ticks.ts';
import { Control, type Settings } from './control.ts';
import { type Disturbance, undisturbed } from './outbox.ts';
import { RateLimits } from './rate-limits.ts';
import { buildServer } from './server.ts';
import { Simulation } from './simulation.ts';
import type { ChannelCredentials } from './tokens.ts';

export type LineSimulatorOptions = {
  /** Default: the system's. With a stopped clock, time advances by `run` only, and every run gives the same result. */
  clock?: Clock;
  /** Selects the people and their behaviour. */
  seed?: number;
  /** 0: any free port. */
  port?: number;
  host?: string;
  /** Approximate number of friends at the start; they followed in the days before. */
  people?: number;
  pastDays?: number;
  /** The bot's user id in webhooks. */
  destination?: string;
  channelSecret?: string;
  accessToken?: string;
  /** The webhook URL. LINE's own call can set it later. */
  webhook?: string | null;
  redelivery?: boolean;
  disturbance?: Partial<Disturbance>;
  /** Default 60, as LINE; null: no limit. */
  callsPerHour?: number | null;
  /** Default 10: a day is ready at 10:00 of the next, UTC+9. */
  readyAfterHours?: number;
  quota?: number | null;
  isVerified?: boolean;
  /** True: people really open the URLs they click, when these lead to this machine. */
  opensLinks?: boolean;
  /** True: the simulation runs every second. */
  isLive?: boolean;
};

/** The settings of a Shoal channel for this account. */
export type Credentials = { destination: string } & ChannelCredentials;

export type LineSimulator = {
  /** `http://127.0.0.1:8090` */
  address: string;
  credentials: Credentials;
  control: Control;
  close(): Promise<void>;
};

/** Starts it. Resolves when the server listens. `close` releases all resources. */
export async function startLineSimulator(options: LineSimulatorOptions = {}): Promise<LineSimulator> {
  const { seed = 1, port = 0, host = '127.0.0.1', callsPerHour = 60 } = options;
  const credentials = credentialsOf(options, seed);
  const settings: Settings = {
    callsPerHour,
    quota: options.quota === undefined ? 30_000 : options.quota,
    readyAfterHours: options.readyAfterHours ?? 10,
    isVerified: options.isVerified ?? true,
    webhook: {},
  };
  const simulation = new Simulation({
    clock: options.clock ?? systemClock,
    seed,
    people: options.people ?? 200,
    pastDays: options.pastDays ?? 60,
    ...credentials,
    webhook: { endpoint: options.webhook ?? null, active: true, redelivery: options.redelivery ?? true },
    disturbance: { ...undisturbed, ...options.disturbance },
    opensLinks: options.opensLinks ?? false,
  });
  const faults = new Faults();
  const limits = new RateLimits(callsPerHour);
  const control = new Control({ simulation, faults, limits, settings });
  const app = buildServer({ simulation, control, faults, limits, settings, credentials });
  const address = await app.listen({ port, host });
  const stopTicks = options.isLive ? everyTick(() => control.run({})) : () => undefined;
  return {
    address,
    credentials,
    control,
    async close() {
      stopTicks();
      await app.close();
      await simulation.inTurn(async () => undefined);
    },
  };
}

function credentialsOf(options: LineSimulatorOptions, seed: number): Credentials {
  return {
    destination: options.destination ?? `U${hexOf(seed, 'destination').slice(0, 32)}`,
    channelId: String(1_650_000_000 + seed),
    channelSecret: options.channelSecret ?? hexOf(seed, 'channel secret').slice(0, 32),
    accessToken: options.accessToken ?? hexOf(seed, 'access token'),
  };
}
