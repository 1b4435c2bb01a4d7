/**
 * `shoal serve`: the server for production.
 */
import { openLog } from '../log.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
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
