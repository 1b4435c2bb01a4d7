/**
 * Pictures of people for the pages: fetched from the platform by the server, so that no browser calls another host, and stored.
 *
 * The address comes from the platform's answer, but is not trusted: only public addresses are called (webhooks-out/addresses.ts),
 * redirects are not followed, and size, time and type of the answer are checked. The platforms' own API hosts are allowed, too.
 */
import type { IncomingMessage } from 'node:http';
import type { Fragment, Queryable, Sql } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { coalesced } from '../http/coalesce.ts';
import { type ImageType, imageTypeOf } from '../live-chat/image-type.ts';
import { type Clock, dayMs, hourMs, secondMs } from '../time.ts';
import { type Gate, literalProblem } from '../webhooks-out/addresses.ts';
import { Agents } from '../webhooks-out/post.ts';

export type Picture = { type: ImageType; content: Uint8Array };

export type PictureOptions = {
  sql: Sql;
  clock: Clock;
  gate: Gate;
  /** Addresses of platforms' APIs: their hosts may be called although they are not public, such as the simulator. */
  trustedOrigins: readonly string[];
};

const bytesMax = 2 * 1024 * 1024;
const msMax = 10 * secondMs;
const fetchesMax = 16;
const missingMs = hourMs;
const keptMs = 30 * dayMs;

/** The pictures of all contacts. Close it at the end. */
export class Pictures {
  readonly #options: PictureOptions;
  readonly #agents: Agents;
  readonly #trustedAgents: Agents;
  readonly #load: (key: string) => Promise<Picture | null>;
  #fetches = 0;

  constructor(options: PictureOptions) {
    this.#options = options;
    this.#agents = new Agents(options.gate);
    this.#trustedAgents = new Agents({ ...options.gate, allowPrivate: true });
    this.#load = coalesced((key) => this.#read(...(JSON.parse(key) as [string, string])));
  }

  /** Returns the contact's picture. Null: it has none, or none that can be fetched and shown now. */
  async read(botId: string, contactId: string): Promise<Picture | null> {
    return this.#load(JSON.stringify([botId, contactId]));
  }

  close(): void {
    this.#agents.close();
    this.#trustedAgents.close();
  }

  async #read(botId: string, contactId: string): Promise<Picture | null> {
    const { sql, clock } = this.#options;
    const [row] = await sql<Row[]>`
      select profile.picture_url as "pictureUrl", picture.url, picture.type, picture.content,
        ${msOf(sql, 'picture.fetched_at')} as "fetchedAt"
      from contact_profiles profile
      left join contact_pictures picture
        on picture.bot_id = ${botId} and picture.contact_id = profile.contact_id
      where profile.bot_id = ${botId} and profile.contact_id = ${contactId}`;
    if (!row || row.pictureUrl === null) return null;
    const stored = pictureOf(row);
    const isCurrent = row.url === row.pictureUrl;
    if (isCurrent && stored !== null) return stored;
    if (isCurrent && row.fetchedAt !== null && row.fetchedAt > clock() - missingMs) return null;
    if (this.#fetches >= fetchesMax) return stored;
    this.#fetches += 1;
    const fetched = await this.#fetch(row.pictureUrl).finally(() => {
      this.#fetches -= 1;
    });
    // An older picture is better than none.
    if (fetched === null && stored !== null) return stored;
    await this.#put({ botId, contactId, url: row.pictureUrl, picture: fetched });
    return fetched;
  }

  /** Only while the contact still has this picture: a deleted contact stores none. */
  async #put({ botId, contactId, url, picture }: NewPicture): Promise<void> {
    const { sql, clock } = this.#options;
    await sql`
      insert into contact_pictures as kept (bot_id, contact_id, url, type, content, fetched_at)
      select bot_id, contact_id, picture_url, ${picture?.type ?? null}, ${picture?.content ?? null}::bytea, ${new Date(clock())}
      from contact_profiles
      where bot_id = ${botId} and contact_id = ${contactId} and picture_url = ${url}
      for key share
      on conflict (bot_id, contact_id) do update set
        url = excluded.url, type = excluded.type, content = excluded.content, fetched_at = excluded.fetched_at`;
  }

  async #fetch(address: string): Promise<Picture | null> {
    const url = new URL(address);
    const isTrusted = this.#options.trustedOrigins.some(
      (trusted) => URL.parse(trusted)?.origin === url.origin,
    );
    if (!isTrusted && literalProblem(url, this.#options.gate) !== null) return null;
    const agents = isTrusted ? this.#trustedAgents : this.#agents;
    try {
      const signal = AbortSignal.timeout(msMax);
      const headers = { accept: 'image/*', 'user-agent': 'Shoal' };
      const answer = await agents.send(url, { method: 'GET', headers, signal, body: '' });
      const content = answer.statusCode === 200 ? await readBytes(answer) : null;
      if (content === null) answer.destroy();
      const type = content && imageTypeOf(content);
      return content && type && { type, content };
    } catch (error) {
      // Every failure of the foreign host means that there is no picture now.
      if (error instanceof Error) return null;
      throw error;
    }
  }
}

/** Deletes stored pictures that were fetched long ago; a page fetches them again. Safe to repeat. */
export async function purgePictures(sql: Sql, botId: string, { now }: { now: number }): Promise<void> {
  await sql`delete from contact_pictures where bot_id = ${botId} and ${isOldPicture(sql, { now })}`;
}

/** For queries over `contact_pictures`: true for pictures that `purgePictures` deletes. */
export function isOldPicture(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`fetched_at < ${new Date(now - keptMs)}`;
}

type Row = {
  pictureUrl: string | null;
  url: string | null;
  type: ImageType | null;
  content: Uint8Array | null;
  fetchedAt: number | null;
};
type NewPicture = { botId: string; contactId: string; url: string; picture: Picture | null };

function pictureOf({ type, content }: Row): Picture | null {
  return type === null || content === null ? null : { type, content };
}

/** Null: too large. */
async function readBytes(answer: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer) {
    const chunk = Buffer.from(part);
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return null;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
