/**
 * `shoal mcp`: the MCP server on stdin and stdout.
 */
import { invalidInput } from '../errors.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

/** Adds the command. */
export function register(program: ShoalCommand, context: Context): void {
  program
    .add('mcp', 'Serve the tools of a running server to an MCP client on stdin and stdout.')
    .action(async () => {
      const { mcpUrl, mcpToken, mcpNames } = context.config();
      if (mcpToken === null) {
        throw invalidInput(
          'SHOAL_MCP_TOKEN is missing. shoal admin-token create --scope read makes a token.',
        );
      }
      const { serveStdio } = await import('../api/mcp/stdio.ts');
      await serveStdio({ url: mcpUrl, token: mcpToken, showsNames: mcpNames === 'shown' });
    });
}
