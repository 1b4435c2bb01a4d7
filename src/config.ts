/**
 * The one table of options: flags, environment variables, help and the manual all come from it.
 * A flag goes before the environment, the environment before the default. A secret may come from a file: SHOAL_SECRET_KEY_FILE.
 */
import { readFileSync } from 'node:fs';
import { closestMatch } from 'leven';
import { Refusal } from './errors.ts';

type Kind = 'text' | 'number' | 'boolean';
export type Option = {
  flag: string;
  env: string;
  kind: Kind;
  /** Shown in help instead of a value. */
  value?: string;
  default: string | number | boolean | null;
  meaning: string;
  /** Never repeated in a message; may come from a file, too: the variable with `_FILE` behind it names it. */
  secret?: boolean;
  min?: number;
  max?: number;
  choices?: readonly string[];
};

export const options = {
  port: {
    flag: 'port',
    env: 'SHOAL_PORT',
    kind: 'number',
    default: 8080,
    min: 0,
    max: 65535,
    meaning: 'Port to listen on; 0 takes a free one.',
  },
  host: {
    flag: 'host',
    env: 'SHOAL_HOST',
    kind: 'text',
    default: '127.0.0.1',
    meaning: 'Address to listen on.',
  },
  workerPort: {
    flag: 'worker-port',
    env: 'SHOAL_WORKER_PORT',
    kind: 'number',
    default: 8081,
    min: 0,
    max: 65535,
    meaning: 'Port of a worker (role worker) for /healthz, /readyz and /metrics; 0 takes a free one.',
  },
  data: {
    flag: 'data',
    env: 'SHOAL_DATA',
    kind: 'text',
    default: './data',
    meaning: 'Folder of the embedded database and the key file.',
  },
  role: {
    flag: 'role',
    env: 'SHOAL_ROLE',
    kind: 'text',
    default: 'all',
    choices: ['all', 'web', 'worker'],
    meaning:
      'What this process does: answer HTTP (web), fold deliveries and tell callbacks (worker), or all.',
  },
  databaseUrl: {
    flag: 'database-url',
    env: 'DATABASE_URL',
    kind: 'text',
    default: null,
    secret: true,
    meaning: 'A PostgreSQL server (15 to 18) to use instead of the embedded one.',
  },
  secretKey: {
    flag: 'secret-key',
    env: 'SHOAL_SECRET_KEY',
    kind: 'text',
    default: null,
    secret: true,
    meaning:
      'Key for credentials at rest and API tokens, at least 32 characters; without it a key file in the data folder is used.',
  },
  secretKeyPrevious: {
    flag: 'secret-key-previous',
    env: 'SHOAL_SECRET_KEY_PREVIOUS',
    kind: 'text',
    default: null,
    secret: true,
    meaning: 'The secret key before, while it is being rotated and its tokens are still valid.',
  },
  rateLimit: {
    flag: 'rate-limit',
    env: 'SHOAL_RATE_LIMIT',
    kind: 'number',
    default: 600,
    min: 0,
    max: 1_000_000,
    meaning: 'MantaGo calls a minute for each bot; 0 sets no limit.',
  },
  insightRateLimit: {
    flag: 'insight-rate-limit',
    env: 'SHOAL_INSIGHT_RATE_LIMIT',
    kind: 'number',
    default: 0,
    min: 0,
    max: 1_000_000,
    meaning: "LINE Insight calls an hour for each channel and address; 0 sets no limit, LINE's own is 60.",
  },
  adminRateLimit: {
    flag: 'admin-rate-limit',
    env: 'SHOAL_ADMIN_RATE_LIMIT',
    kind: 'number',
    default: 600,
    min: 0,
    max: 1_000_000,
    meaning: 'Management calls a minute for each admin token and each user; 0 sets no limit.',
  },
  lineApi: {
    flag: 'line-api',
    env: 'SHOAL_LINE_API',
    kind: 'text',
    default: 'https://api.line.me',
    meaning: 'Where LINE is called; another address only to try things out.',
  },
  linePassThrough: {
    flag: 'line-pass-through',
    env: 'SHOAL_LINE_PASS_THROUGH',
    kind: 'text',
    default: 'on',
    choices: ['on', 'off'],
    meaning: 'Whether calls of LINE under /v2/bot/ that Shoal has no part in are handed on to LINE.',
  },
  publicUrl: {
    flag: 'public-url',
    env: 'SHOAL_PUBLIC_URL',
    kind: 'text',
    default: null,
    meaning:
      'Address under which people reach this server, as https://shoal.example; counting clicks needs it.',
  },
  collect: {
    flag: 'collect',
    env: 'SHOAL_COLLECT',
    kind: 'text',
    default: 'on',
    choices: ['on', 'off'],
    meaning:
      "Whether the server fetches LINE's own figures of channels with an access token; shoal collect does so in any case.",
  },
  lineCallsPerHour: {
    flag: 'line-calls-per-hour',
    env: 'SHOAL_LINE_CALLS_PER_HOUR',
    kind: 'number',
    default: 60,
    min: 6,
    max: 1_000_000,
    meaning:
      "Calls an hour to each of LINE's endpoints for each channel; LINE's own limit is 60, less leaves some for others.",
  },
  workers: {
    flag: 'workers',
    env: 'SHOAL_WORKERS',
    kind: 'number',
    default: 2,
    min: 1,
    max: 32,
    meaning: 'Bots folded at the same time by this process.',
  },
  retentionDays: {
    flag: 'retention-days',
    env: 'SHOAL_RETENTION_DAYS',
    kind: 'number',
    default: 30,
    min: 1,
    max: 36_500,
    meaning: 'Days that raw deliveries are kept; those set aside stay until they are replayed.',
  },
  chatVisitorLimit: {
    flag: 'chat-visitor-limit',
    env: 'SHOAL_CHAT_VISITOR_LIMIT',
    kind: 'number',
    default: 30,
    min: 0,
    max: 1_000_000,
    meaning: 'Messages a minute from one visitor of live chat; 0: no limit.',
  },
  chatAddressLimit: {
    flag: 'chat-address-limit',
    env: 'SHOAL_CHAT_ADDRESS_LIMIT',
    kind: 'number',
    default: 1_200,
    min: 0,
    max: 1_000_000,
    meaning:
      'Live chat calls and sockets a minute from one address, behind which many visitors may be; 0: no limit.',
  },
  chatVisitorBytes: {
    flag: 'chat-visitor-bytes',
    env: 'SHOAL_CHAT_VISITOR_BYTES',
    kind: 'number',
    default: 20_971_520,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes of texts and images a day from one visitor of live chat; 0: no limit.',
  },
  chatAddressBytes: {
    flag: 'chat-address-bytes',
    env: 'SHOAL_CHAT_ADDRESS_BYTES',
    kind: 'number',
    default: 62_914_560,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes of texts and images a day from the live chat visitors of one address; 0: no limit.',
  },
  chatBotBytes: {
    flag: 'chat-bot-bytes',
    env: 'SHOAL_CHAT_BOT_BYTES',
    kind: 'number',
    default: 1_073_741_824,
    min: 0,
    max: 1_099_511_627_776,
    meaning: 'Bytes a day of one live chat: texts of visitors and images of both sides; 0: no limit.',
  },
  chatImages: {
    flag: 'chat-images',
    env: 'SHOAL_CHAT_IMAGES',
    kind: 'text',
    default: 'answered',
    choices: ['answered', 'always'],
    meaning:
      'Visitors of live chat who may send images: those who are identified or have an answer (answered), or all (always).',
  },
  chatImageDays: {
    flag: 'chat-image-days',
    env: 'SHOAL_CHAT_IMAGE_DAYS',
    kind: 'number',
    default: 90,
    min: 1,
    max: 36_500,
    meaning: 'Days that images of live chat are kept; what was written stays until its contact is forgotten.',
  },
  trustedProxies: {
    flag: 'trusted-proxies',
    env: 'SHOAL_TRUSTED_PROXIES',
    kind: 'text',
    default: 'loopback',
    meaning:
      'Proxies before this server, whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks with commas, or loopback, linklocal, uniquelocal (private networks, as of containers), none.',
  },
  callbackPrivate: {
    flag: 'callback-private',
    env: 'SHOAL_CALLBACK_PRIVATE',
    kind: 'boolean',
    default: false,
    meaning:
      'true: callback addresses may lead to private, local and reserved networks; every process and command needs the same.',
  },
  callbackLogDays: {
    flag: 'callback-log-days',
    env: 'SHOAL_CALLBACK_LOG_DAYS',
    kind: 'number',
    default: 30,
    min: 1,
    max: 36_500,
    meaning: 'Days that the log of outgoing webhooks is kept; those still to be told stay.',
  },
  waitingBytesMax: {
    flag: 'waiting-bytes-max',
    env: 'SHOAL_WAITING_BYTES_MAX',
    kind: 'number',
    default: 33_554_432,
    min: 3_145_728,
    max: 4_294_967_296,
    meaning: 'Bytes of deliveries that may wait in memory for their commit; past it the answer is 503.',
  },
  bodyBytesMax: {
    flag: 'body-bytes-max',
    env: 'SHOAL_BODY_BYTES_MAX',
    kind: 'number',
    default: 67_108_864,
    min: 16_777_216,
    max: 4_294_967_296,
    meaning:
      'Bytes of request bodies that this process holds at a time, half of them for one caller; past it the answer is 503.',
  },
  connectionsMax: {
    flag: 'connections-max',
    env: 'SHOAL_CONNECTIONS_MAX',
    kind: 'number',
    default: 25_000,
    min: 1,
    max: 1_000_000,
    meaning:
      'Connections open at a time, of them at most 80 % sockets of live chat; more are closed at once.',
  },
  drainSeconds: {
    flag: 'drain-seconds',
    env: 'SHOAL_DRAIN_SECONDS',
    kind: 'number',
    default: 3,
    min: 0,
    max: 3_600,
    meaning:
      'Seconds after SIGTERM in which open connections are still answered, each for the last time; /readyz answers 503 meanwhile.',
  },
  logLevel: {
    flag: 'log-level',
    env: 'SHOAL_LOG_LEVEL',
    kind: 'text',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    meaning: 'What goes to the log on stderr.',
  },
} as const satisfies Record<string, Option>;

type Value<O extends Option> = O extends { choices: readonly (infer C)[] }
  ? C
  : O['kind'] extends 'number'
    ? number
    : O['kind'] extends 'boolean'
      ? boolean
      : O['default'] extends null
        ? string | null
        : string;

export type Config = { [K in keyof typeof options]: Value<(typeof options)[K]> };

type Given = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the options from flags (by option name, as typed) and the environment; a secret's variable may name a file instead.
 * Throws Refusal INPUT_INVALID that names the option, what came and what was expected; a secret's value is not repeated.
 */
export function readConfig(flags: Given, env: Environment): Config {
  const entries = Object.entries(options).map(([name, option]) => [
    name,
    readOption(name, option, flags, env),
  ]);
  return Object.fromEntries(entries) as Config;
}

const typingErrorsMax = 6;

/** A warning for each variable that looks like a setting of Shoal and is none. */
export function unknownSettings(env: Environment): string[] {
  const known = Object.values<Option>(options).flatMap((option) =>
    option.secret ? [option.env, fileVariable(option)] : [option.env],
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('SHOAL_') && !known.includes(name))
    .map((name) => {
      const nearest = closestMatch(name, known, { maxDistance: typingErrorsMax });
      return `${name} is not a setting of Shoal, and is ignored.${nearest ? ` Is ${nearest} meant?` : ''}`;
    });
}

function readOption(
  name: string,
  option: Option,
  flags: Given,
  env: Environment,
): string | number | boolean | null {
  const given = flags[name] ?? readVariable(option, env);
  if (given === undefined || given === null) return option.default;
  const source = flags[name] !== undefined ? `--${option.flag}` : option.env;
  if (option.kind === 'boolean') return readBoolean(given, source);
  if (option.kind === 'text') {
    if (option.choices && !option.choices.includes(String(given))) {
      throw new Refusal(
        'INPUT_INVALID',
        `${source} must be one of ${option.choices.join(', ')}, not "${given}".`,
      );
    }
    return String(given);
  }
  const number = Number(given);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = option;
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new Refusal(
      'INPUT_INVALID',
      `${source} must be a whole number from ${min} to ${max}, not "${given}".`,
    );
  }
  return number;
}

function readVariable(option: Option, env: Environment): string | undefined {
  const value = env[option.env] || undefined;
  const path = (option.secret && env[fileVariable(option)]) || undefined;
  if (path === undefined) return value;
  if (value !== undefined) {
    throw new Refusal(
      'INPUT_INVALID',
      `${option.env} and ${fileVariable(option)} are both set. Keep one of them.`,
    );
  }
  return readSecretFile(fileVariable(option), path);
}

function fileVariable({ env }: Option): string {
  return `${env}_FILE`;
}

function readSecretFile(variable: string, path: string): string {
  const text = readText(variable, path).trim();
  if (text === '') throw new Refusal('INPUT_INVALID', `The file of ${variable}, ${path}, is empty.`);
  return text;
}

function readText(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal('INPUT_INVALID', `The file of ${variable} cannot be read: ${reason}.`);
  }
}

function readBoolean(given: unknown, source: string): boolean {
  if (given === true || given === 'true' || given === '1') return true;
  if (given === false || given === 'false' || given === '0') return false;
  throw new Refusal('INPUT_INVALID', `${source} must be true or false, not "${given}".`);
}
