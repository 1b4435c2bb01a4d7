/**
 * The sample deliveries of tests/fixtures/webhooks: their bytes, their entries in the index, and the table of the events that the
 * platform modules read from them (tests/snapshots/parsed-fixtures.txt).
 */
import { readFileSync } from 'node:fs';
import { readers } from '../src/platforms/index.ts';
import type { PlatformName } from '../src/platforms/platform.ts';
import type { ParsedEvent } from '../src/platforms/reader.ts';

export type WebhookFixture = {
  file: string;
  platform: PlatformName;
  /** The name in the index, such as `message.text` or `message_echo`. */
  event: string;
  /** `inbound`, `outbound` or `system`. */
  direction: string;
  /** The keys that are stored once; `none` for no key. */
  dedupe: readonly string[];
  body: Buffer;
};

/** The account of each platform's samples. */
export const accountIds: Readonly<Record<PlatformName, string | null>> = {
  line: 'Ud922228ae4a6fdb40d805e3a72e089f6',
  facebook: '144792899659708',
  instagram: '17841165216900097',
  whatsapp: '210924782137726',
  // Live chat has no account: only this server delivers to it.
  liveChat: null,
};

const folder = new URL('./fixtures/webhooks/', import.meta.url);
export const parsedFixturesFile = new URL('./snapshots/parsed-fixtures.txt', import.meta.url);

/** Reads the bytes of one sample, such as `line/message-text.json`. */
export function readFixture(file: string): Buffer {
  return readFileSync(new URL(file, folder));
}

/** Every sample, sorted by file name. */
export function webhookFixtures(): WebhookFixture[] {
  const { samples }: { samples: (Omit<WebhookFixture, 'body' | 'platform'> & { platform: string })[] } =
    JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'));
  return samples
    .flatMap((sample) =>
      isPlatform(sample.platform)
        ? [{ ...sample, platform: sample.platform, body: readFixture(sample.file) }]
        : [],
    )
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The table: each file, then a line for each event with kind, detail, contact, time and key. */
export function parsedFixtures(): string {
  const blocks = webhookFixtures().map(({ file, platform, body }) => {
    const { events, problems } = readers[platform].parse(body, accountIds[platform]);
    return [file, ...events.map(eventLine), ...problems.map((problem) => `  PROBLEM ${problem}`)].join('\n');
  });
  return `${blocks.join('\n')}\n`;
}

function eventLine({ kind, detail, contact, contactAlias, happenedAt, key }: ParsedEvent): string {
  const who = contact === null ? '-' : contactAlias === null ? 'contact' : 'contact+alias';
  return `  ${[kind, detail ?? '-', who, new Date(happenedAt).toISOString(), key].join(' | ')}`;
}

function isPlatform(name: string): name is PlatformName {
  return Object.hasOwn(readers, name);
}
