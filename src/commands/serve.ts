/**
 * `shoal serve`: the server for real use, until it is told to stop.
 */
import type { Command } from 'commander';
import type { Context } from './context.ts';

/** Adds the command. Its options come from config.ts. */
export function register(program: Command, context: Context): void {
  program
    .command('serve')
    .description('Run the server: webhooks in, figures out.')
    .action(async () => {
      const config = context.config();
      const server = await context.startServer(config);
      context.log(server.address === null ? 'Folding deliveries.' : `Listening on ${server.address}`);
      await stopSignal();
      context.log('Stopping.');
      await server.close();
    });
}

/** Resolves at the first SIGINT or SIGTERM. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
