/**
 * `shoal user`: people who sign in to the dashboard with a name and a password. The password is typed or piped in, never a flag.
 */
import { type Command, Option } from 'commander';
import { type AdminScope, adminScopes } from '../auth/admin-tokens.ts';
import { Passwords } from '../auth/passwords.ts';
import { createUser, findUserByName, listUsers, removeUser, type User, updateUser } from '../auth/users.ts';
import type { Sql } from '../database/client.ts';
import type { CommandContext } from './context.ts';

export type UserContext = CommandContext & {
  /** A password that is typed or piped in. */
  readPassword(): Promise<string>;
};

const jsonHelp = 'print one JSON object';
const nameHelp = 'as list shows it; case makes no difference';

/** Adds the commands. */
export function register(program: Command, context: UserContext): void {
  const user = program
    .command('user')
    .description('People who sign in to the dashboard: create, list, password, remove.');
  addCreate(user, context);
  addList(user, context);
  addPassword(user, context);
  addRemove(user, context);
}

type CreateOptions = { name: string; scope: AdminScope; bot?: string; json?: boolean };

function addCreate(user: Command, context: UserContext): void {
  user
    .command('create')
    .description('Make a user. The password is asked for, or read from a pipe.')
    .requiredOption('--name <name>', 'the name to sign in with')
    .addOption(
      new Option('--scope <scope>', 'what the user may do: each scope may do what those before it may')
        .choices([...adminScopes])
        .default('read'),
    )
    .option('--bot <bot>', 'only for this bot; else for all')
    .option('--json', jsonHelp)
    .action(async ({ name, scope, bot, json }: CreateOptions) => {
      const { random } = context;
      const asked = { name, scope, botId: bot ?? null, password: await context.readPassword() };
      const making = { now: context.clock(), random, passwords: new Passwords({ random }) };
      const made = await context.withDatabase((sql) => createUser(sql, asked, making));
      const { userId, botId } = made;
      context.out(json ? JSON.stringify({ userId, name, scope, botId }) : `${name} can sign in.`);
    });
}

function addList(user: Command, context: UserContext): void {
  user
    .command('list')
    .description('List the users.')
    .option('--json', jsonHelp)
    .action(async ({ json }: { json?: boolean }) => {
      const users = await context.withDatabase((sql) => listUsers(sql));
      context.out(json ? JSON.stringify({ users }) : users.map(toText).join('\n') || 'None.');
    });
}

function addPassword(user: Command, context: UserContext): void {
  user
    .command('password')
    .description('Give a user another password; all sessions of the user end.')
    .argument('<name>', nameHelp)
    .option('--json', jsonHelp)
    .action(async (name: string, { json }: { json?: boolean }) => {
      const password = await context.readPassword();
      const passwords = new Passwords({ random: context.random });
      const set = async (sql: Sql) => {
        const { userId } = await findUserByName(sql, name);
        return updateUser(sql, userId, { password }, { passwords, keptSession: null });
      };
      const { userId } = await context.withDatabase(set);
      context.out(json ? JSON.stringify({ userId }) : `${name} has another password.`);
    });
}

function addRemove(user: Command, context: UserContext): void {
  user
    .command('remove')
    .description('Remove a user; all sessions of the user end.')
    .argument('<name>', nameHelp)
    .option('--json', jsonHelp)
    .action(async (name: string, { json }: { json?: boolean }) => {
      const userId = await context.withDatabase(async (sql) => {
        const { userId } = await findUserByName(sql, name);
        await removeUser(sql, userId);
        return userId;
      });
      context.out(json ? JSON.stringify({ userId }) : `${name} is removed.`);
    });
}

function toText({ userId, name, scope, botId, createdAt, lastSignInAt }: User): string {
  return [
    userId,
    name,
    scope,
    botId ?? 'all bots',
    `made ${createdAt.toISOString()}`,
    lastSignInAt === null ? 'never signed in' : `signed in ${lastSignInAt.toISOString()}`,
  ].join('  ');
}
