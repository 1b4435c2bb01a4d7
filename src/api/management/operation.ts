/**
 * The types of an operation of the management API, by its id in the contract. The contract has been checked before a handler runs.
 */
import type { Readable } from 'node:stream';
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { openOperations, operations, queryDefaults } from '../../../contracts/types/management.ts';
import type { Caller } from '../../auth/caller.ts';
import type { Keys } from '../../auth/keys.ts';
import type { Passwords } from '../../auth/passwords.ts';
import type { Bot } from '../../bots/bots.ts';
import type { CallLimit } from '../../collector/call-limit.ts';
import type { Sql } from '../../database/client.ts';
import type { AnswerOf, BodyOf, FileTypeOf, HeadersOf, PathOf, QueryOf } from '../../http/operation.ts';
import type { Slots } from '../../http/slots.ts';
import type { LineAccess } from '../../line/access.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import type { MailSettings } from '../../mail/settings.ts';
import type { GraphClient } from '../../meta/graph-client.ts';
import type { Pictures } from '../../profiles/pictures.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { Gate } from '../../webhooks-out/addresses.ts';

export type Sources = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  random: Random;
  /** Decides which callback addresses are allowed. */
  gate: Gate;
  /** The collector's limit of calls to LINE. */
  collectLimit: CallLimit;
  /** The same of calls to Meta. */
  metaLimit: CallLimit;
  /** Checks Meta's access tokens. */
  graph: Pick<GraphClient, 'get'>;
  /** Checks LINE's channel ids. */
  access: Pick<LineAccess, 'tokenOf'>;
  log: Pick<Logger, 'error' | 'info'>;
  liveChat: LiveChat;
  /** The calls per minute to MantaGo during an import, if it sets none. */
  mantagoCallsPerMinute: number;
  /** The folder of the embedded database; null: the database is elsewhere. */
  dataFolder: string | null;
  /** The public address of this server; null: not set. */
  publicUrl: string | null;
  /** Null: e-mail is not configured. */
  mail: MailSettings | null;
  passwords: Passwords;
  /** Pictures of contacts at the platforms. */
  pictures: Pictures;
  /** A pool for exports alone. */
  exportSql: Sql;
  /** The export of a client that reads nothing for this long ends. */
  stallMsMax?: number;
  /** Aborted when the server stops. */
  closing: AbortSignal;
};

type Id = keyof operations;
type Default<I extends Id> = I extends keyof queryDefaults ? queryDefaults[I] : never;
export type Params<I extends Id> = PathOf<operations[I]>;
export type Query<I extends Id> = QueryOf<operations[I], Default<I>>;
export type Body<I extends Id> = BodyOf<operations[I]>;

export type Call<I extends Id> = {
  caller: I extends openOperations ? null : Caller;
  browser: Browser;
  /** The bot of the path. The caller may use it. */
  bot: 'botId' extends keyof Params<I> ? Bot : never;
  params: Params<I>;
  query: Query<I>;
  body: Body<I>;
  headers: HeadersOf<operations[I]>;
  /** The body of an operation that takes a file. */
  upload: [FileTypeOf<operations[I]>] extends [never]
    ? null
    : { type: FileTypeOf<operations[I]>; bytes: Uint8Array };
  /** Sets the header `Idempotency-Replayed`: whether the answer is that of an earlier call with the same key. */
  setReplayed(isReplayed: boolean): void;
};

/** The caller's browser, as far as sessions concern it. */
export type Browser = {
  address: string;
  /** Its header User-Agent. */
  userAgent: string | null;
  /** The token of its session cookie, or null. */
  sessionToken: string | null;
  /** Sets the session cookie with the answer. Null deletes it. */
  hold(sessionToken: string | null): void;
};

/** A file, or one that is written while it is read: a HEAD call never starts that. */
export type Download = {
  /** Its Content-Type. */
  type: string;
  fileName: string;
  content: Uint8Array | (() => Promise<Readable>);
  /** The answer has the entity tag of the content, which then is bytes. */
  hasTag?: true;
  /** A page without scripts, which a browser shows instead of saving it. */
  isPage?: true;
};

/** An answer 202: the work continues, and the address shows its progress. */
export class Accepted<Body> {
  readonly location: string;
  readonly body: Body;

  constructor(location: string, body: Body) {
    this.location = location;
    this.body = body;
  }
}

/** The JSON of the success answer, a file, or undefined for an answer without a body. */
export type Answer<I extends Id> =
  | AnswerOf<operations[I], 200 | 201 | 202>
  | Accepted<AnswerOf<operations[I], 202>>
  | FileAnswer<operations[I]['responses']>
  | EmptyAnswer<operations[I]['responses']>;

type FileAnswer<Responses> = Responses extends { 200: { content: infer Content } }
  ? 'application/json' extends keyof Content
    ? never
    : Download
  : never;
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a body returns nothing.
type EmptyAnswer<Responses> = 204 extends keyof Responses ? void : never;

/** The body limit of an operation that names up to 10,000 contacts. */
export const listBytesMax = 2 * 1024 * 1024;

/** A handler, alone or with the properties that differ from the usual ones. The answer 101 opens a socket. */
export type Operation<I extends Id> = 101 extends keyof operations[I]['responses']
  ? SocketOperation
  : Handler<Call<I>, Answer<I>>['answer'] | (Handler<Call<I>, Answer<I>> & Properties);

export type SocketOperation = { openSocket(socket: WebSocket, request: FastifyRequest): void };

export type Properties = {
  /** The limit of the body, if it is not the usual one. */
  bodyBytesMax?: number;
  /** The bounds of an operation that takes a file: each file is held in memory. */
  uploads?: Slots;
  /** The operation needs no caller. The contract must say so too. */
  isOpen?: true;
  /** The answer has no entity tag and is never cached. */
  isSecret?: true;
};

type Handler<Call, Answer> = { answer(call: Call): Promise<Answer> };

/** A handler for every operation of the contract. */
export type Operations = { [I in Id]: Operation<I> };
