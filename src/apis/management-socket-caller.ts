/**
 * Who opens a socket of the management API: the one place that decides it. Browsers cannot send headers of their own with a
 * socket, so the first frame says who it is.
 */
import type { FastifyRequest } from 'fastify';
import { type AdminCaller, findAdminCaller } from '../bots/admin-tokens.ts';
import type { Queryable } from '../database/database.ts';
import type { JsonObject } from '../json.ts';

/** `name`: what a person is called; null: a program calls. */
export type SocketCaller = { caller: AdminCaller; name: string | null };

/** The caller of a hello frame, with an admin token in it; null: nobody may. Safe to repeat, to ask whether it still holds. */
export async function readSocketCaller(
  sql: Queryable,
  _request: FastifyRequest,
  hello: JsonObject,
  now: number,
): Promise<SocketCaller | null> {
  const caller = typeof hello.token === 'string' ? await findAdminCaller(sql, hello.token, { now }) : null;
  return caller && { caller, name: null };
}
