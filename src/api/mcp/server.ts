/**
 * The MCP server: tools over the management API, and documents as resources. It reads only. Loaded with the first call.
 */
import { readFile } from 'node:fs/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { adminScopes } from '../../auth/admin-tokens.ts';
import type { JsonObject } from '../../json.ts';
import { version } from '../../version.ts';
import { type ApiCall, ApiProblem, ownTokenPath, readApi } from './api-call.ts';
import { explainTool } from './explain.ts';
import { isPersonal, maskAnswer } from './masks.ts';
import { readTools, type Tool } from './tools.ts';

/** `showsNames`: the personal data of contacts is in every answer, not only in those that ask for it. */
export type McpOptions = { call: ApiCall; showsNames: boolean };

const documents = [
  { name: 'figures', description: 'The definition of every figure.' },
  { name: 'glossary', description: 'The nouns of Shoal.' },
].map((document) => ({ ...document, uri: `shoal://docs/${document.name}`, mimeType: 'text/markdown' }));

const showNames = {
  type: 'boolean',
  default: false,
  description:
    'Show names and other personal data, which are masked otherwise. Needs a token with the scope write. Set it only if the user asks for names.',
};

const instructions = `Figures of a business's messaging channels, counted by Shoal. Start with list_bots.
Days are those of the bot's time zone, and null means unknown, never 0. explain_figure shows how a figure is made.`;

/** Creates a server for one connection, or for one call over HTTP. */
export function openMcp({ call, showsNames }: McpOptions): Server {
  const server = new Server(
    { name: 'shoal', version },
    { capabilities: { tools: {}, resources: {} }, instructions },
  );
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: (await allTools()).map(toListed),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: input = {} } }) => {
    const tool = (await allTools()).find((candidate) => candidate.name === name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${name}.`);
    return runTool(tool, input, { call, showsNames });
  });
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({ resources: documents }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    const document = documents.find((candidate) => candidate.uri === uri);
    if (!document) throw new McpError(ErrorCode.InvalidParams, `There is no resource ${uri}.`);
    const file = new URL(`../../../docs/${document.name}.md`, import.meta.url);
    return { contents: [{ uri, mimeType: document.mimeType, text: await readFile(file, 'utf8') }] };
  });
  return server;
}

async function allTools(): Promise<Tool[]> {
  return [...(await readTools()), explainTool];
}

function toListed({ name, description, inputSchema }: Tool) {
  const annotations = { readOnlyHint: true, openWorldHint: false };
  if (!isPersonal(name)) return { name, description, inputSchema, annotations };
  const properties = { ...inputSchema.properties, showNames };
  return { name, description, inputSchema: { ...inputSchema, properties }, annotations };
}

async function runTool(tool: Tool, input: JsonObject, { call, showsNames }: McpOptions) {
  const { showNames: asksForNames, ...rest } = input;
  const hasNames = isPersonal(tool.name);
  const asks = hasNames && asksForNames === true;
  try {
    if (asks && !showsNames) await checkNames(call);
    const answer = await tool.run(call, hasNames ? rest : input);
    const shown = showsNames || asks ? answer : maskAnswer(tool.name, answer);
    return { content: [toText(JSON.stringify(shown))], structuredContent: shown };
  } catch (error) {
    if (error instanceof ApiProblem) return { content: [toText(error.message)], isError: true };
    throw error;
  }
}

async function checkNames(call: ApiCall): Promise<void> {
  const { scope } = await readApi(call, ownTokenPath);
  if (adminScopes.some((name) => name === scope && name !== 'read')) return;
  throw new ApiProblem('SCOPE_TOO_SMALL: showNames needs a token with the scope write.');
}

function toText(text: string) {
  return { type: 'text' as const, text };
}
