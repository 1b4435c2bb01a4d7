/**
 * The settings that the audit log follows: their rows before and after a change.
 *
 * A column is shown only if it is listed. Every other column is masked, so that a new one reveals nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from '../database/client.ts';
import { isObject, type JsonObject } from '../json.ts';

type Subject = {
  table: string;
  /** The column that identifies the row, for a table of bots within the bot. */
  key: string;
  /** The member of a transaction's result with the key of a new row. */
  resultKey: string;
  ofBot: boolean;
  shown: readonly string[];
  /** Not settings: a change of these alone is none. */
  ignored: readonly string[];
};

const times = ['created_at', 'updated_at'];

export const subjects = {
  bot: {
    ...{
      table: 'bots',
      key: 'bot_id',
      resultKey: 'botId',
      ofBot: true,
      ignored: ['created_at', 'snapshot_version'],
    },
    shown: ['bot_id', 'name', 'time_zone', 'conversation_gap_seconds', 'line_program'],
  },
  channel: {
    ...{ table: 'channels', key: 'platform', resultKey: 'platform', ofBot: true },
    ignored: [...times, 'bot_id', 'widget_key_hashes'],
    shown: [
      ...['platform', 'enabled', 'account_id', 'channel_id', 'business_account_id', 'allowed_origins'],
      ...['identity_required', 'track_clicks', 'previous_secret_until'],
    ],
  },
  lineToken: {
    ...{ table: 'line_tokens', key: 'token_id', resultKey: 'tokenId', ofBot: true },
    ignored: [...times, 'bot_id', 'token_hash'],
    shown: ['token_id', 'kind', 'scope', 'expires_at', 'revoked_at'],
  },
  callback: {
    ...{ table: 'callbacks', key: 'bot_id', resultKey: 'botId', ofBot: true },
    ignored: [...times, 'bot_id', 'standing', 'paused_until'],
    shown: ['url', 'disabled_at', 'previous_secret_until'],
  },
  tag: {
    ...{ table: 'tags', key: 'tag_id', resultKey: 'tagId', ofBot: true },
    ignored: [...times, 'bot_id', 'former_id'],
    shown: ['tag_id', 'kind', 'name', 'confidence', 'life_cycle_days', 'life_cycle_active'],
  },
  template: {
    ...{ table: 'message_templates', key: 'template_id', resultKey: 'templateId', ofBot: true },
    ignored: [...times, 'bot_id'],
    shown: ['template_id', 'name', 'content'],
  },
  gift: {
    ...{ table: 'gifts', key: 'gift_id', resultKey: 'giftId', ofBot: true },
    ignored: [...times, 'bot_id', 'granted'],
    shown: ['gift_id', 'name', 'kind', 'resource', 'is_default', 'stock', 'expires_at'],
  },
  alertRule: {
    ...{ table: 'alert_rules', key: 'rule', resultKey: 'rule', ofBot: true },
    ignored: [...times, 'bot_id'],
    shown: ['rule', 'enabled', 'threshold', 'from_hour', 'until_hour', 'weekdays'],
  },
  mailReport: {
    ...{ table: 'mail_reports', key: 'report_id', resultKey: 'reportId', ofBot: false },
    ignored: [...times, 'due_at', 'last_run', 'last_run_at', 'last_first_day', 'last_day', 'problem'],
    shown: [
      ...['report_id', 'name', 'bot_ids', 'frequency', 'language', 'time_zone', 'minute_of_day'],
      'is_paused',
    ],
  },
  adminToken: {
    ...{ table: 'admin_tokens', key: 'token_id', resultKey: 'tokenId', ofBot: false },
    ignored: ['created_at', 'token_hash', 'last_used_at'],
    shown: ['token_id', 'name', 'scope', 'bot_ids', 'expires_at', 'revoked_at'],
  },
  invitation: {
    ...{ table: 'invitations', key: 'invitation_id', resultKey: 'invitationId', ofBot: false },
    ignored: ['created_at', 'token_hash', 'created_by'],
    shown: ['invitation_id', 'scope', 'bot_ids', 'expires_at'],
  },
  user: {
    ...{ table: 'users', key: 'user_id', resultKey: 'userId', ofBot: false },
    ignored: ['created_at', 'name_key', 'last_sign_in_at'],
    shown: ['user_id', 'name', 'scope', 'bot_ids', 'disabled_at'],
  },
} as const satisfies Record<string, Subject>;
export type SubjectKind = keyof typeof subjects;

/** Which row of a kind. `id` null: it is not known before the change. */
export type SubjectKey = { kind: SubjectKind; botId: string | null; id: string | null };

/** The subject's row, locked until the transaction ends; null: none. */
export async function lockRow(tx: Transaction, { kind, botId, id }: SubjectKey): Promise<JsonObject | null> {
  const { table, key, ofBot }: Subject = subjects[kind];
  if (id === null || (ofBot && botId === null)) return null;
  const [found] = await tx<{ row: unknown }[]>`
    select to_jsonb(subject) as row from ${tx(table)} subject
    where ${tx(key)}::text = ${id} ${ofBot ? tx`and bot_id = ${botId}` : tx``}
    for no key update`;
  return found && isObject(found.row) ? found.row : null;
}

/** The key of the row that a transaction has created, from its result; null: the result has none. */
export function newId(kind: SubjectKind, result: unknown): string | null {
  if (!isObject(result)) return null;
  const { resultKey } = subjects[kind];
  // A command's answer has it in its JSON.
  const id = result[resultKey] ?? (isObject(result.json) ? result.json[resultKey] : null);
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}

export type Change = { before: JsonObject | null; after: JsonObject | null };

const mask = '•••';

/** The members that differ, with masked secrets; null: none. A new or deleted row has all its members. */
export function changeOf(
  kind: SubjectKind,
  before: JsonObject | null,
  after: JsonObject | null,
): Change | null {
  const { shown, ignored }: Subject = subjects[kind];
  const names = Object.keys({ ...before, ...after }).filter(
    (name) => !ignored.includes(name) && !isDeepStrictEqual(before?.[name] ?? null, after?.[name] ?? null),
  );
  if (names.length === 0) return null;
  const isMasked = (name: string) => !shown.includes(name);
  const pick = (row: JsonObject | null, suffix: string) =>
    row &&
    Object.fromEntries(
      names.map((name) => {
        const value = row[name] ?? null;
        return [name, value !== null && isMasked(name) ? `${mask}${suffix}` : value];
      }),
    );
  return { before: pick(before, ''), after: pick(after, before === null ? '' : ' (new)') };
}
