/**
 * Durations and repetitions: the full plan, and a quick one of a few minutes.
 */
import type { Line } from './report.ts';
import type { Stage } from './stage.ts';

export type Plan = {
  runs: number;
  /** Connections of the load generator. */
  connections: number;
  intakeMs: number;
  bareMs: number;
  /** The one long run of the intake. */
  intakeLongMs: number;
  callsMs: number;
  latencyMs: number;
  memoryMs: number;
  chatMs: number;
  /** Events of the large bot and of the small one. */
  eventsLarge: number;
  eventsSmall: number;
  /** Events of two years for the dashboard's reads, many and few. */
  eventsOfYearsLarge: number;
  eventsOfYearsSmall: number;
  contactsWithPoints: number;
  /** Of a send that is planned and not sent. */
  plannedRecipients: number;
  foldDeliveries: number;
  /** Deliveries that are spread over these numbers of bots. */
  growthDeliveries: number;
  growthBots: readonly number[];
  /** Events of one bot. */
  growthEvents: readonly number[];
};

export const fullPlan: Plan = {
  runs: 5,
  connections: 50,
  intakeMs: 20_000,
  bareMs: 10_000,
  intakeLongMs: 60_000,
  callsMs: 10_000,
  latencyMs: 5_000,
  memoryMs: 300_000,
  chatMs: 20_000,
  eventsLarge: 1_000_000,
  eventsSmall: 10_000,
  eventsOfYearsLarge: 10_000_000,
  eventsOfYearsSmall: 100_000,
  contactsWithPoints: 1_000_000,
  plannedRecipients: 2_000_000,
  foldDeliveries: 60_000,
  growthDeliveries: 6_000,
  growthBots: [1, 10, 1_000, 3_000, 10_000],
  growthEvents: [100_000, 1_000_000, 10_000_000],
};

export const quickPlan: Plan = {
  ...fullPlan,
  runs: 3,
  intakeMs: 5_000,
  bareMs: 3_000,
  intakeLongMs: 10_000,
  callsMs: 3_000,
  latencyMs: 2_000,
  memoryMs: 60_000,
  chatMs: 10_000,
  eventsLarge: 100_000,
  eventsSmall: 1_000,
  eventsOfYearsLarge: 1_000_000,
  eventsOfYearsSmall: 10_000,
  contactsWithPoints: 100_000,
  plannedRecipients: 100_000,
  foldDeliveries: 15_000,
  growthBots: [1, 300],
  growthEvents: [10_000, 100_000],
};

/** The parameters of a measurement. */
export type Measuring = {
  stage: Stage;
  plan: Plan;
  /** Logs progress to stderr. */
  say(text: string): void;
};

export type Measure = (measuring: Measuring) => Promise<Line[]>;
