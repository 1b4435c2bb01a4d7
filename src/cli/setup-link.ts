/**
 * `shoal setup-link`: a link that creates a user for all bots in the browser.
 */
import { createSetupLink } from '../auth/setup-links.ts';
import type { Config } from '../config.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

const everyAddress: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Adds the command. */
export function register(program: ShoalCommand, context: Context): void {
  program
    .add('setup-link', 'Print a link that creates a user with the scope admin. It works once, for an hour.')
    .answer(() => async (sql) => {
      const { clock, random } = context;
      const address = dashboardAddress(context.config());
      const link = await createSetupLink(sql, { address, now: clock(), random });
      return { json: link, text: link.url };
    });
}

/** The public address of the server, otherwise one for a browser on the same machine. */
export function dashboardAddress({
  publicUrl,
  host,
  port,
}: Pick<Config, 'publicUrl' | 'host' | 'port'>): string {
  if (publicUrl !== null) return publicUrl;
  const near = everyAddress.has(host) ? '127.0.0.1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}
