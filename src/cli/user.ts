/**
 * `shoal user`: users who sign in to the dashboard. Passwords are typed or piped in. They are never a flag.
 */
import { type AdminScope, adminScopes } from '../auth/admin-tokens.ts';
import { Passwords } from '../auth/passwords.ts';
import { createUser, findUserByName, listUsers, removeUser, type User, updateUser } from '../auth/users.ts';
import { renderLine, renderList, type ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import type { PasswordOptions } from './read-password.ts';

export type UserContext = CommandContext & {
  /** Reads a password that is typed or piped in. */
  readPassword(options?: PasswordOptions): Promise<string>;
};

const nameHelp = 'user name, ignoring case';

type CreateOptions = { name: string; scope: AdminScope; bot?: string[] };

/** Adds the commands. */
export function register(program: ShoalCommand, context: UserContext): void {
  const user = program.add('user', 'Users of the dashboard: create, list, password, remove.');
  user
    .add('create', 'Create a user. Asks for the password, or reads it from a pipe.')
    .requiredOption('--name <name>', 'the name to sign in with')
    .choice(
      '--scope <scope>',
      'what the user may do; each scope includes those before it',
      adminScopes,
      'read',
    )
    .option('--bot <bot...>', 'only for these bots (default: all)')
    .answer(async ({ name, scope, bot }: CreateOptions) => {
      const botIds = bot ?? null;
      const input = { name, scope, botIds, password: await context.readPassword() };
      return async (sql) => {
        const making = { now: context.clock(), ...hashing(context) };
        const { userId } = await sql.begin((tx) => createUser(tx, input, making));
        return { json: { userId, name, scope, botIds }, text: `${name} can sign in.` };
      };
    });
  user.add('list', 'List the users.').answer(() => async (sql) => {
    const users = await listUsers(sql);
    return { json: { users }, text: renderList(users, renderUser) };
  });
  user
    .add('password', "Change a user's password, and end the user's sessions.")
    .argument('<name>', nameHelp)
    .answer(async (name: string) => {
      const password = await context.readPassword();
      return async (sql) => {
        const { userId } = await findUserByName(sql, name);
        const { passwords } = hashing(context);
        await updateUser(sql, userId, { password }, { passwords, keptSession: null });
        return { json: { userId }, text: `The password of ${name} is changed.` };
      };
    });
  user
    .add('remove', "Delete a user, and end the user's sessions.")
    .argument('<name>', nameHelp)
    .answer((name: string) => async (sql) => {
      const { userId } = await findUserByName(sql, name);
      await sql.begin((tx) => removeUser(tx, userId));
      return { json: { userId }, text: `${name} is removed.` };
    });
}

function hashing({ random }: CommandContext) {
  return { random, passwords: new Passwords({ random }) };
}

function renderUser({ userId, name, scope, botIds, createdAt, lastSignInAt, disabledAt }: User): string {
  return renderLine(
    userId,
    name,
    scope,
    botIds?.join(', ') ?? 'all bots',
    ['created', createdAt],
    lastSignInAt === null ? 'never signed in' : ['signed in', lastSignInAt],
    ['disabled', disabledAt],
  );
}
