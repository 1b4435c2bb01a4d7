/**
 * The types of a visitor's operation, by its id in the contract. The contract has been checked before a handler runs.
 */
import type { WebSocket } from '@fastify/websocket';
import type { operations, queryDefaults } from '../../../contracts/types/live-chat.ts';
import type { Channel } from '../../bots/channels.ts';
import type { AnswerOf, BodyOf, PathOf, QueryOf } from '../../http/operation.ts';

type Id = keyof operations;
type Default<I extends Id> = I extends keyof queryDefaults ? queryDefaults[I] : never;
export type Body<I extends Id> = BodyOf<operations[I]>;

export type Call<I extends Id> = {
  channel: Channel;
  /** The visitor of the token; null if the operation needs none and the call has none. */
  visitorId: string | null;
  /** The network of the caller's address (callerNetwork). */
  network: string;
  params: PathOf<operations[I]>;
  query: QueryOf<operations[I], Default<I>>;
  body: Body<I>;
  /** The body of an operation that takes an image; empty for others. */
  image: Uint8Array;
  /** Whether the message was stored before: the answer is then 200 instead of 201. */
  setRepeated(isRepeated: boolean): void;
};

/** An answer that is an image. */
export class ImageAnswer {
  readonly type: string;
  readonly content: Uint8Array;

  constructor({ type, content }: { type: string; content: Uint8Array }) {
    this.type = type;
    this.content = content;
  }
}

export type Answer<I extends Id> =
  | AnswerOf<operations[I], 200 | 201>
  | (operations[I]['responses'] extends { 200: { content: { 'image/png': unknown } } } ? ImageAnswer : never)
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler without a body returns nothing.
  | (204 extends keyof operations[I]['responses'] ? void : never);

export type Properties = {
  /** The call may come without a visitor token. */
  isTokenOptional?: true;
  /** The call counts as a message of its visitor. */
  isSend?: true;
  /** The body is an image: only some visitors may send one. */
  takesImage?: true;
};

type Handler<Call, Answer> = { answer(call: Call): Promise<Answer> };

/** A handler, alone or with the properties that differ from the usual ones. The answer 101 opens a socket. */
export type Operation<I extends Id> = 101 extends keyof operations[I]['responses']
  ? SocketOperation
  : Handler<Call<I>, Answer<I>>['answer'] | (Handler<Call<I>, Answer<I>> & Properties);

export type SocketOperation = { openSocket(socket: WebSocket, channel: Channel): void };

/** A handler for every operation of the contract. */
export type Operations = { [I in Id]: Operation<I> };
