/**
 * `shoal serve`: the server for production.
 */
import { openLog } from '../log.ts';
import type { RunningServer } from '../server/server.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { dashboardAddress } from './setup-link.ts';
import { nextSignal, untilStopped, whenStopped } from './until-stopped.ts';

/** Adds the command. Its options come from config.ts. */
export function register(program: ShoalCommand, context: Context): void {
  program
    .add('serve', 'Run the server.')
    .action(() => untilStopped((signal) => serve(context, signal), { again: () => undefined }));
}

async function serve(context: Context, signal: AbortSignal): Promise<void> {
  const config = context.config();
  const log = openLog(config.logLevel);
  // By default Node writes a stack trace, which is not JSON like the other lines of the log.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the server failed');
    process.exit(1);
  });
  try {
    const server = await context.startServer(config, { signal });
    if (config.role !== 'worker') await greet(context, server);
    await whenStopped(signal);
    log.info('Stopping.');
    // A second signal ends the draining.
    await Promise.race([server.drain(), nextSignal()]);
    await server.close();
  } catch (error) {
    if (error !== signal.reason) throw error;
    log.info('Stopped before the database was available.');
  }
}

/** Prints a setup link until the first user exists. It does not go to the log, which may be stored. */
async function greet(context: Context, server: RunningServer): Promise<void> {
  const port = Number(new URL(server.address).port);
  const address = dashboardAddress({ ...context.config(), port });
  const link = await server.createFirstSetupLink(address);
  if (link === null) return;
  context.out(
    `\nWelcome to Shoal. Open this link in a browser to create the first user. It works once, for an hour:\n\n  ${link.url}\n`,
  );
}
