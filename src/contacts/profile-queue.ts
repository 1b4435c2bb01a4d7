/**
 * The queue of profiles: `contacts.profile_due_at`, written together with the contact, so a new contact needs no further statement.
 */
import type { PlatformName } from '../platforms/platform.ts';

/** The platforms that report a profile for an id. The others name people in their deliveries, or not at all. */
const profilePlatforms: readonly PlatformName[] = ['line', 'facebook', 'instagram'];

/** The due time of a new contact (ms): before all others, so that people who have just written get their names first. */
const dueFirst = 0;

/** The due time of a new contact; null: the platform has no profiles. */
export function profileDue(platform: PlatformName): number | null {
  return profilePlatforms.includes(platform) ? dueFirst : null;
}
