/** The parts of getHealth's answer. */
import type { Schema } from '../../api/client.ts';

export type Health = Schema['Health'];
export type TokenCheck = Schema['TokenCheck'];
export type Installation = NonNullable<Health['installation']>;
export type ChatUsage = NonNullable<Health['liveChat']>;
export type Collector = NonNullable<Health['collector']>;
