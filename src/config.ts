/**
 * The table of options. Flags, environment variables, help and docs/options.md derive from it. A flag overrides the environment, which
 * overrides the default. A secret can also come from a file: SHOAL_SECRET_KEY_FILE.
 */
import { readFileSync } from 'node:fs';
import { closestMatch } from 'leven';
import { invalidInput } from './errors.ts';

type Entry = {
  default: string | number | boolean | null;
  meaning: string;
  /** Messages never contain the value. The variable with the suffix `_FILE` can name a file with it. */
  secret?: boolean;
  min?: number;
  max?: number;
  choices?: readonly string[];
  /** An http or https address; its value has no slash at the end. */
  isAddress?: boolean;
  /** Default: `SHOAL_` and the name. */
  env?: string;
  /** The flag, which this group of commands alone has and reads itself. */
  flag?: string;
  group?: 'mantago' | 'backup' | 'mcp';
};
export type Option = Entry & { flag: string; env: string };

const table = {
  port: { default: 8080, min: 0, max: 65535, meaning: 'Port to listen on; 0 selects a free one.' },
  host: { default: '127.0.0.1', meaning: 'Address to listen on.' },
  workerPort: {
    default: 8081,
    min: 0,
    max: 65535,
    meaning: 'Port of a worker (role worker) for /healthz, /readyz and /metrics; 0 selects a free one.',
  },
  data: { default: './data', meaning: 'Folder of the embedded database and the key file.' },
  role: {
    default: 'all',
    choices: ['all', 'web', 'worker'],
    meaning: 'Task of this process: serve HTTP (web), process deliveries and send webhooks (worker), or all.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    default: null,
    secret: true,
    meaning: 'PostgreSQL server (15 to 18) to use instead of the embedded one.',
  },
  secretKey: {
    default: null,
    secret: true,
    meaning:
      'Key for stored credentials and API tokens, at least 32 characters. Without it, a key file in the data folder is used.',
  },
  secretKeyPrevious: {
    default: null,
    secret: true,
    meaning: 'Previous secret key, during a rotation and until the tokens created with it expire.',
  },
  rateLimit: {
    default: 600,
    min: 0,
    max: 1_000_000,
    meaning: 'MantaGo calls per minute for each bot; 0: no limit.',
  },
  insightRateLimit: {
    default: 0,
    min: 0,
    max: 1_000_000,
    meaning: "LINE Insight calls per hour for each channel and address; 0: no limit. LINE's own limit is 60.",
  },
  adminRateLimit: {
    default: 600,
    min: 0,
    max: 1_000_000,
    meaning: 'Management calls per minute for each admin token and each user; 0: no limit.',
  },
  lineApi: { default: 'https://api.line.me', meaning: "Address of LINE's API. Change it only for tests." },
  graphApi: {
    default: 'https://graph.facebook.com',
    meaning: "Address of Meta's Graph API. Change it only for tests.",
  },
  instagramApi: {
    default: 'https://graph.instagram.com',
    meaning: 'Address of the API for tokens of Instagram Login. Change it only for tests.',
  },
  metaCallsPerHour: {
    default: 60,
    min: 6,
    max: 1_000_000,
    meaning:
      "Calls per hour for each kind of Meta's figures of a channel. Meta's own limits depend on the account; its usage headers can pause calls earlier.",
  },
  linePassThrough: {
    default: 'on',
    choices: ['on', 'off'],
    meaning: 'Forward LINE calls that Shoal does not handle itself to LINE.',
  },
  publicUrl: {
    default: null,
    isAddress: true,
    meaning:
      'Public address of this server, such as https://shoal.example. Click counting needs it; webhook addresses and setup links show it.',
  },
  smtpUrl: {
    default: null,
    secret: true,
    meaning:
      'SMTP server for e-mails, such as smtps://user:password@mail.example or smtp://mail.example:587 (STARTTLS). Use the same value for every process.',
  },
  mailFrom: {
    default: null,
    meaning: 'Sender of e-mails, such as "Shoal <shoal@example.com>".',
  },
  collect: {
    default: 'on',
    choices: ['on', 'off'],
    meaning:
      "Let the server fetch the platforms' own figures, and the profiles of people, for channels with access. shoal collect always fetches figures.",
  },
  profileCallsPerSecond: {
    default: 20,
    min: 0,
    max: 2_000,
    meaning: 'Profiles of people to fetch per second for each channel; 0: none.',
  },
  lineCallsPerHour: {
    default: 60,
    min: 6,
    max: 1_000_000,
    meaning:
      "Calls per hour to each of LINE's endpoints for each channel. LINE's own limit is 60; less leaves calls for other programs.",
  },
  backupPassphrase: {
    ...{ default: null, secret: true, group: 'backup' },
    meaning: 'Passphrase that encrypts a backup, or opens an encrypted one.',
  },
  mantagoToken: {
    ...{ default: null, secret: true, flag: 'token', group: 'mantago' },
    meaning: "shoal mantago: API token of the business's bot at MantaGo.",
  },
  mantagoSecret: {
    ...{ default: null, secret: true, flag: 'secret', group: 'mantago' },
    meaning: "shoal mantago: secret key of the business's bot at MantaGo.",
  },
  mantagoCallsPerMinute: {
    ...{ default: 60, min: 1, max: 6_000 },
    meaning: 'Calls per minute to MantaGo during an import from it. MantaGo does not publish its limit.',
  },
  mcpNames: {
    default: 'masked',
    choices: ['masked', 'shown'],
    meaning:
      'Names and other personal data of contacts in answers to MCP clients: masked unless a call asks for them, or always shown.',
  },
  mcpUrl: {
    ...{ default: 'http://127.0.0.1:8080', isAddress: true, group: 'mcp' },
    meaning: 'shoal mcp: address of the running server.',
  },
  mcpToken: {
    ...{ default: null, secret: true, group: 'mcp' },
    meaning: 'shoal mcp: admin token for the calls to that server.',
  },
  workers: { default: 2, min: 1, max: 32, meaning: 'Batches of deliveries that this process folds at once.' },
  retentionDays: {
    default: 30,
    min: 1,
    max: 36_500,
    meaning: 'Days after which raw deliveries are deleted. Those set aside stay until they are replayed.',
  },
  chatVisitorLimit: {
    default: 30,
    min: 0,
    max: 1_000_000,
    meaning: 'Messages per minute from one live chat visitor; 0: no limit.',
  },
  chatAddressLimit: {
    default: 1_200,
    min: 0,
    max: 1_000_000,
    meaning:
      'Live chat calls and sockets per minute from one address, which many visitors can share; 0: no limit.',
  },
  chatVisitorBytes: {
    default: 20_971_520,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes of texts and images per day from one live chat visitor; 0: no limit.',
  },
  chatAddressBytes: {
    default: 62_914_560,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes of texts and images per day from the live chat visitors of one address; 0: no limit.',
  },
  chatBotBytes: {
    default: 1_073_741_824,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes per day of one live chat: texts of visitors and images of both sides; 0: no limit.',
  },
  chatImages: {
    default: 'answered',
    choices: ['answered', 'always'],
    meaning:
      'Live chat visitors that may send images: identified ones and those with a reply (answered), or all (always).',
  },
  chatImageDays: {
    default: 90,
    min: 1,
    max: 36_500,
    meaning: 'Days after which live chat images are deleted. Texts stay until the contact is forgotten.',
  },
  trustedProxies: {
    default: 'loopback',
    meaning:
      'Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: addresses or networks separated by commas, or loopback, linklocal, uniquelocal (private networks, for example of containers), none.',
  },
  callbackPrivate: {
    default: false,
    meaning:
      'true: allow webhook endpoints in private, local and reserved networks. Use the same value for every process and command.',
  },
  callbackLogDays: {
    default: 30,
    min: 1,
    max: 36_500,
    meaning: 'Days after which the log of outgoing webhooks is deleted. Pending messages stay.',
  },
  waitingBytesMax: {
    default: 33_554_432,
    min: 3_145_728,
    max: 4_294_967_296,
    meaning: 'Maximum bytes of deliveries in memory that wait for their commit. Above it, the answer is 503.',
  },
  bodyBytesMax: {
    default: 67_108_864,
    min: 16_777_216,
    max: 4_294_967_296,
    meaning:
      'Maximum bytes of request bodies in memory, half of them for one caller. Above it, the answer is 503.',
  },
  connectionsMax: {
    default: 25_000,
    min: 1,
    max: 1_000_000,
    meaning:
      'Maximum open connections. Live chat sockets are at most 80 % of them. Further connections are closed at once.',
  },
  drainSeconds: {
    default: 3,
    min: 0,
    max: 3_600,
    meaning:
      'Seconds after SIGTERM in which each open connection gets a last response. /readyz answers 503 during this time.',
  },
  auditDays: {
    default: 400,
    min: 1,
    max: 36_500,
    meaning: 'Days after which entries of the audit log are deleted.',
  },
  logLevel: {
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    meaning: 'Least severe level in the log on stderr.',
  },
} as const satisfies Record<string, Entry>;

/** The options by name, with the flag and the variable of each: `rateLimit` is --rate-limit and SHOAL_RATE_LIMIT. */
export const options = Object.fromEntries(
  Object.entries<Entry>(table).map(([name, entry]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const env = `SHOAL_${flag.toUpperCase().replaceAll('-', '_')}`;
    return [name, { flag, env, ...entry }];
  }),
) as Record<keyof typeof table, Option>;

type Value<E extends Entry> = E extends { choices: readonly (infer C)[] }
  ? C
  : E['default'] extends number
    ? number
    : E['default'] extends boolean
      ? boolean
      : E['default'] extends null
        ? string | null
        : string;

export type Config = { [K in keyof typeof table]: Value<(typeof table)[K]> };

type Flags = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the options from flags (by option name) and the environment. Throws Refusal INPUT_INVALID with the option, its value (unless
 * it is a secret) and the expected value.
 */
export function readConfig(flags: Flags, env: Environment): Config {
  const entries = Object.entries(options).map(([name, option]) => [
    name,
    readOption(name, option, flags, env),
  ]);
  return Object.fromEntries(entries) as Config;
}

const distanceMax = 6;

/** Warnings for variables that start with `SHOAL_` and are not settings. */
export function unknownSettings(env: Environment): string[] {
  const settings = Object.values<Option>(options).flatMap((option) =>
    option.secret ? [option.env, fileVariable(option)] : [option.env],
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('SHOAL_') && !settings.includes(name))
    .map((name) => {
      const nearest = closestMatch(name, settings, { maxDistance: distanceMax });
      return `${name} is not a setting of Shoal and is ignored.${nearest ? ` Did you mean ${nearest}?` : ''}`;
    });
}

function readOption(
  name: string,
  option: Option,
  flags: Flags,
  env: Environment,
): string | number | boolean | null {
  const value = flags[name] ?? readVariable(option, env);
  if (value === undefined || value === null) return option.default;
  const source = flags[name] !== undefined ? `--${option.flag}` : option.env;
  if (typeof option.default === 'boolean') return readBoolean(value, source);
  if (typeof option.default !== 'number') {
    if (option.choices && !option.choices.includes(String(value))) {
      throw invalidInput(`${source} must be one of ${option.choices.join(', ')}, not "${value}".`);
    }
    return option.isAddress ? readAddress(String(value), source) : String(value);
  }
  const number = Number(value);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = option;
  if (!Number.isInteger(number) || number < min || number > max) {
    throw invalidInput(`${source} must be a whole number from ${min} to ${max}, not "${value}".`);
  }
  return number;
}

function readVariable(option: Option, env: Environment): string | undefined {
  const value = env[option.env] || undefined;
  const path = (option.secret && env[fileVariable(option)]) || undefined;
  if (path === undefined) return value;
  if (value !== undefined) {
    throw invalidInput(`${option.env} and ${fileVariable(option)} are both set. Keep one of them.`);
  }
  return readSecretFile(fileVariable(option), path);
}

function fileVariable({ env }: Option): string {
  return `${env}_FILE`;
}

function readSecretFile(variable: string, path: string): string {
  const text = readText(variable, path).trim();
  if (text === '') throw invalidInput(`The file of ${variable}, ${path}, is empty.`);
  return text;
}

function readText(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidInput(`The file of ${variable} cannot be read: ${reason}.`);
  }
}

function readAddress(value: string, source: string): string {
  const url = URL.parse(value);
  const isAddress =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    [url.search, url.hash, url.username, url.password].every((part) => part === '');
  if (!isAddress) throw invalidInput(`${source} must be an address like https://shoal.example.`);
  return url.href.replace(/\/+$/, '');
}

function readBoolean(value: unknown, source: string): boolean {
  if (value === true || value === 'true' || value === '1') return true;
  if (value === false || value === 'false' || value === '0') return false;
  throw invalidInput(`${source} must be true or false, not "${value}".`);
}
