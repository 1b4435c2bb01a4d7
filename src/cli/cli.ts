/**
 * The command line: all commands, with the options of config.ts.
 */
import { randomBytes } from 'node:crypto';
import { type Command, CommanderError, Option } from 'commander';
import { audited } from '../audit/scope.ts';
import { findKeys, type KeySource } from '../auth/keys.ts';
import { keysOf, matchKeys } from '../auth/secret-key.ts';
import { type Config, options, readConfig, unknownSettings } from '../config.ts';
import { Refusal } from '../errors.ts';
import { openCommandLog, openLog } from '../log.ts';
import { openDatabase } from '../server/open-database.ts';
import { systemClock } from '../time.ts';
import { version } from '../version.ts';
import { commandScope, type RunningCommand } from './audits.ts';
import { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { readPassword } from './read-password.ts';
import { isStoppable, orStopped, Stopped, untilStopped } from './until-stopped.ts';
import type { UserContext } from './user.ts';

type Part = { register(program: ShoalCommand, context: Context & UserContext): void };

/** The commands by name, in the order of the help. To load them all takes several times as long as to load one. */
const parts = new Map<string, () => Promise<Part>>([
  ['serve', () => import('./serve.ts')],
  ['demo', () => import('./demo.ts')],
  ['bot', () => import('./bot.ts')],
  ['channel', () => import('./channel.ts')],
  ['audit', () => import('./audit.ts')],
  ['admin-token', () => import('./admin-token.ts')],
  ['user', () => import('./user.ts')],
  ['setup-link', () => import('./setup-link.ts')],
  ['key', () => import('./key.ts')],
  ['backup', () => import('./backup.ts')],
  ['restore', () => import('./restore.ts')],
  ['collect', () => import('./collect.ts')],
  ['contact', () => import('./contact.ts')],
  ['deliveries', () => import('./deliveries.ts')],
  ['job', () => import('./job.ts')],
  ['callback', () => import('./callback.ts')],
  ['alerts', () => import('./alerts.ts')],
  ['recount', () => import('./recount.ts')],
  ['reconcile', () => import('./reconcile.ts')],
  ['platform-figures', () => import('./platform-figures.ts')],
  ['snapshot', () => import('./snapshot.ts')],
  ['tag', () => import('./tag.ts')],
  ['points', () => import('./points.ts')],
  ['gift', () => import('./gift.ts')],
  ['send', () => import('./send.ts')],
  ['export', () => import('./export.ts')],
  ['import', () => import('./import.ts')],
  ['mail', () => import('./mail.ts')],
  ['report', () => import('./report.ts')],
  ['mantago', () => import('./mantago.ts')],
  ['mcp', () => import('./mcp.ts')],
  ['cluster', () => import('./cluster.ts')],
  ['sandbox', () => import('./sandbox.ts')],
]);

/** Builds the program with one command, or with all of them if `name` is not a command. The configuration is read when a command runs. */
export async function buildProgram(name = ''): Promise<Command> {
  let running: Command | undefined;
  const config = (): Config => readConfig(running?.optsWithGlobals() ?? {}, process.env);
  const context = buildContext(config, () => running && asRunning(running));
  const program = new ShoalCommand('shoal', context)
    .description('Statistics of your messaging channels, on your own server.')
    .version(version, '--version', 'print the version')
    .showHelpAfterError('Add --help for usage.')
    .exitOverride()
    .hook('preAction', (_program, command) => {
      running = command;
      for (const warning of unknownSettings(process.env)) openCommandLog(config().logLevel).warn(warning);
    });
  const own = parts.get(name);
  const loads = own ? [own] : [...parts.values()];
  for (const part of await Promise.all(loads.map((load) => load()))) part.register(program, context);
  for (const command of descendants(program)) {
    if (command.commands.length > 0) continue;
    for (const name of optionsOf(command)) addOption(command, name);
  }
  return program;
}

/** The options of commands that open the database. The sandbox's commands do not. */
const databaseOptions = ['data', 'databaseUrl', 'secretKey', 'secretKeyPrevious', 'logLevel'] as const;

const collectOptions = ['lineApi', 'lineCallsPerHour'] as const;

const optionNames = Object.keys(options) as (keyof typeof options)[];

function optionsOf(command: Command): readonly (keyof typeof options)[] {
  if (command.parent?.name() === 'sandbox') return [];
  if (command.name() === 'setup-link') return [...databaseOptions, 'host', 'port', 'publicUrl'];
  if (command.parent?.name() === 'report') return [...databaseOptions, 'smtpUrl', 'mailFrom', 'publicUrl'];
  if (command.name() === 'mcp') return ['mcpUrl', 'mcpToken', 'mcpNames', 'logLevel'];
  if (command.parent?.name() === 'mail') return ['smtpUrl', 'mailFrom', 'logLevel'];
  if (['backup', 'restore'].includes(command.name())) return [...databaseOptions, 'backupPassphrase'];
  if (command.parent?.name() === 'collect') return [...databaseOptions, ...collectOptions];
  if (command.name() !== 'serve') return databaseOptions;
  return optionNames.filter((name) => options[name].group === undefined);
}

function addOption(command: Command, name: keyof typeof options): void {
  const { flag, env, meaning, default: fallback } = options[name];
  const option = new Option(
    `--${flag} <value>`,
    `${meaning} (${env}${fallback === null ? '' : `, default ${fallback}`})`,
  );
  if (!command.options.some((other) => other.attributeName() === option.attributeName()))
    command.addOption(option);
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

/** A command for the audit log. */
function asRunning(command: Command): RunningCommand {
  const words: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) words.unshift(one.name());
  const names = command.registeredArguments.map((argument) => argument.name());
  return { words: words.join(' '), names, values: command.processedArgs, options: command.opts() };
}

function buildContext(
  config: () => Config,
  running: () => RunningCommand | undefined,
): Context & UserContext {
  const keySource = (): KeySource => {
    const { secretKey, secretKeyPrevious, data } = config();
    return { secretKey, secretKeyPrevious, dataFolder: data, random: randomBytes };
  };
  return {
    config,
    // Loaded when it is needed: no other command should wait for the server's modules.
    startServer: async (...options) => (await import('../server/server.ts')).startServer(...options),
    clock: systemClock,
    random: randomBytes,
    readPassword: (options) => readPassword(process.stdin, process.stderr, options),
    out: (text) => process.stdout.write(`${text}\n`),
    log: (text) => process.stderr.write(`${text}\n`),
    keys: (sql) => keysOf(sql, keySource(), { mayMake: config().databaseUrl === null, now: systemClock() }),
    async withDatabase(run, { isNew = false, anyKey = isNew } = {}) {
      const keys = anyKey ? null : findKeys(keySource());
      const { databaseUrl, data, logLevel } = config();
      const use = async (stopping?: AbortSignal) => {
        const database = await openDatabase({
          databaseUrl,
          dataFolder: data,
          exclusive: isNew,
          migrates: !isNew,
          max: cliPoolSize,
          applicationName: 'shoal command',
          log: openCommandLog(logLevel),
          stopping,
        });
        const work = async () => {
          if (keys) await matchKeys(database.sql, keys, systemClock());
          const command = running();
          const scope = command ? commandScope(command) : null;
          if (scope === null) return run(database.sql);
          return audited(database.sql, scope, { clock: systemClock, run: () => run(database.sql) });
        };
        try {
          return await (stopping ? orStopped(work(), stopping) : work());
        } finally {
          await database.close();
        }
      };
      return isStoppable() ? use() : untilStopped(use);
    },
  };
}

const cliPoolSize = 2;
const usageExitCode = 2;

/** Runs the command line of this process. Exit codes: 1 failure, 2 wrong usage, 129, 130 or 143 stopped by a signal. */
export async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A closed terminal (EIO) also sends SIGHUP, which stops the command. A closed pipe (EPIPE) ends only its output.
      if (error.code !== 'EIO' && error.code !== 'EPIPE') throw error;
    });
  }
  const program = await buildProgram(process.argv[2]);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
      return;
    }
    // The stopped command may still wait for input.
    if (error instanceof Stopped) process.exit(error.exitCode);
    process.exitCode = 1;
    if (program.args[0] === 'serve') logFailure(error);
    else process.stderr.write(`shoal: ${textOf(error)}\n`);
  }
}

/** Every line of a server's log is JSON. */
function logFailure(error: unknown): void {
  const log = openLog('info');
  if (error instanceof Refusal) log.fatal(error.message);
  else log.fatal({ err: error }, 'the server failed');
}

function textOf(error: unknown): string {
  if (error instanceof Refusal && error.code === 'BOT_NOT_FOUND')
    return `${error.message} shoal bot list shows all bot ids.`;
  if (error instanceof Refusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
