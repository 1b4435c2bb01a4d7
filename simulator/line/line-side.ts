/**
 * LINE's side, to test against: a server that answers LINE's calls for one account, and sends its webhooks. It knows the truth
 * of every figure. Here its parts are put together; docs/sandbox.md tells how it differs from LINE.
 */
import { type Clock, secondMs, systemClock } from '../../src/time.ts';
import { hexOf } from '../chance.ts';
import { Control, type Settings } from './control.ts';
import { Faults } from './faults.ts';
import { Limits } from './limits.ts';
import { type Disturbance, undisturbed } from './outbox.ts';
import { buildServer } from './server.ts';
import { Simulation } from './simulation.ts';

export type LineSideOptions = {
  /** Default: the system's. A clock that stands still moves by `run` alone, and the world is the same each time. */
  clock?: Clock;
  /** Which world of people. */
  seed?: number;
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Friends by the start, about, who came one after the other in the days before it. */
  people?: number;
  pastDays?: number;
  /** The bot's user id, as webhooks name it. */
  destination?: string;
  channelSecret?: string;
  accessToken?: string;
  /** The address for webhooks; they may be set later by LINE's own call. */
  webhook?: string | null;
  redelivery?: boolean;
  disturbance?: Partial<Disturbance>;
  /** Default 60, LINE's own; null: no limit. */
  callsPerHour?: number | null;
  /** Default 10: a day is ready at 10:00 of the next, UTC+9. */
  readyAfterHours?: number;
  quota?: number | null;
  isVerified?: boolean;
  /** Whether people really open the URLs they click, where those lead to this machine. */
  opensLinks?: boolean;
  /** Lets time pass by itself, every second. */
  isLive?: boolean;
};

/** What a channel of Shoal is set to, to be connected. */
export type Credentials = { destination: string; channelSecret: string; accessToken: string };

export type LineSide = {
  /** `http://127.0.0.1:8090` */
  address: string;
  credentials: Credentials;
  control: Control;
  close(): Promise<void>;
};

const tickMs = secondMs;

/** Starts it. Resolves when it listens; whatever it took is given back by `close`. */
export async function startLineSide(options: LineSideOptions = {}): Promise<LineSide> {
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
  const limits = new Limits(callsPerHour);
  const control = new Control({ simulation, faults, limits, settings });
  const app = buildServer({ simulation, control, faults, limits, settings, credentials });
  const address = await app.listen({ port, host });
  const stop = options.isLive ? tick(() => control.run({})) : () => undefined;
  return {
    address,
    credentials,
    control,
    async close() {
      stop();
      await app.close();
      await simulation.inTurn(async () => undefined);
    },
  };
}

function credentialsOf(options: LineSideOptions, seed: number): Credentials {
  return {
    destination: options.destination ?? `U${hexOf(seed, 'destination').slice(0, 32)}`,
    channelSecret: options.channelSecret ?? hexOf(seed, 'channel secret').slice(0, 32),
    accessToken: options.accessToken ?? hexOf(seed, 'access token'),
  };
}

/** Runs every second, but never twice at a time. Gives what ends it. */
function tick(run: () => Promise<void>): () => void {
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void run().finally(() => {
      isBusy = false;
    });
  }, tickMs);
  return () => clearInterval(timer);
}
