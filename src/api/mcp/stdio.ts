/**
 * The MCP server on stdin and stdout, for a client that starts it as a process. Its tools call a running server.
 */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { Refusal } from '../../errors.ts';
import { minuteMs } from '../../time.ts';
import { type ApiCall, ownTokenPath, toBody } from './api-call.ts';
import { openMcp } from './server.ts';

/** Longer than the longest reading call of a server. */
const callMsMax = 2 * minuteMs;

/** Serves until stdin ends. Throws Refusal INPUT_INVALID if the server at `url` does not answer, or does not accept the token. */
export async function serveStdio({
  url,
  token,
  showsNames,
}: {
  url: string;
  token: string;
  showsNames: boolean;
}): Promise<void> {
  const call: ApiCall = async (path) => {
    const response = await fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      // A redirect could lead the token elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(callMsMax),
    });
    return { status: response.status, body: toBody(await response.text()) };
  };
  const { status, body } = await call(ownTokenPath).catch(() => {
    throw new Refusal('INPUT_INVALID', `The server at ${url} does not answer. Set --mcp-url to its address.`);
  });
  if (status !== 200) {
    throw new Refusal(
      'INPUT_INVALID',
      `The server at ${url} answers ${status} ${body.code ?? ''}: ${body.detail ?? ''}`,
    );
  }
  await openMcp({ call, showsNames }).connect(new StdioServerTransport());
}
