/**
 * The message templates of a WhatsApp Business account, as Meta lists them. Sources (developers.facebook.com, read 2026-11-30):
 * "WhatsApp Business Account › message_templates" and "WhatsApp Message Template" (fields, statuses), "Template components".
 */
import type { JsonObject } from '../json.ts';
import { listOf, nextCursor } from './figures.ts';
import type { GraphClient } from './graph-client.ts';
import { hostOf } from './token-check.ts';

export type ListedTemplate = {
  name: string;
  language: string;
  /** As Meta names it: APPROVED, PENDING, REJECTED, … */
  status: string;
  /** The body with its parameters: `Hello {{1}}`. */
  text: string;
  /** The number of the body's parameters. */
  parameters: number;
  /** Approved, and only the body has parameters: Shoal can send it. */
  isSendable: boolean;
};

const pageSize = 100;
const pagesMax = 10;

/** All templates by name and language, at most 1,000. Throws GraphFailure, and Stopped. */
export async function listAccountTemplates(
  client: Pick<GraphClient, 'get'>,
  { businessAccountId, accessToken }: { businessAccountId: string; accessToken: string },
): Promise<ListedTemplate[]> {
  const templates: ListedTemplate[] = [];
  const fields = 'name,language,status,parameter_format,components';
  let after = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const path = `/${businessAccountId}/message_templates?fields=${fields}&limit=${pageSize}${after}`;
    const { value } = await client.get({ host: hostOf({ accessToken }), path, token: accessToken });
    templates.push(...listOf(value.data).flatMap(readTemplate));
    const cursor = nextCursor(value);
    if (cursor === null) break;
    after = `&after=${encodeURIComponent(cursor)}`;
  }
  return templates.sort((one, other) => compare(keyOf(one), keyOf(other)));
}

const parameter = /\{\{\s*\w+\s*\}\}/g;
const mediaHeaders: readonly unknown[] = ['IMAGE', 'VIDEO', 'DOCUMENT', 'LOCATION'];
/** Buttons that a message sends without values. */
const plainButtons: readonly unknown[] = ['QUICK_REPLY', 'PHONE_NUMBER', 'URL'];

function readTemplate({
  name,
  language,
  status,
  parameter_format,
  components,
}: JsonObject): ListedTemplate[] {
  if (typeof name !== 'string' || typeof language !== 'string') return [];
  const parts = listOf(components);
  const body = parts.find(({ type }) => type === 'BODY');
  const text = typeof body?.text === 'string' ? body.text : '';
  const parameters = new Set(text.match(parameter)).size;
  const isNamed = parameter_format === 'NAMED' && parameters > 0;
  const isSendable = status === 'APPROVED' && !isNamed && !parts.some(needsValues);
  return [{ name, language, status: String(status), text, parameters, isSendable }];
}

/** True for a part other than the body that a message has to fill. */
function needsValues({ type, format, text, buttons }: JsonObject): boolean {
  if (type === 'HEADER') return mediaHeaders.includes(format) || hasParameter(text);
  if (type !== 'BUTTONS') return type !== 'BODY' && type !== 'FOOTER';
  return listOf(buttons).some((button) => !plainButtons.includes(button.type) || hasParameter(button.url));
}

function hasParameter(text: unknown): boolean {
  return typeof text === 'string' && text.search(parameter) >= 0;
}

function keyOf({ name, language }: ListedTemplate): string {
  return `${name} ${language}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
