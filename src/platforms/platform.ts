/**
 * The names of the platforms, as settings, the APIs and the database write them.
 */
export const platformNames = ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp'] as const;
export type PlatformName = (typeof platformNames)[number];

/** The platforms that deliver webhooks to us. */
export const webhookPlatformNames = ['line', 'facebook', 'instagram', 'whatsapp'] as const;
export type WebhookPlatformName = (typeof webhookPlatformNames)[number];
