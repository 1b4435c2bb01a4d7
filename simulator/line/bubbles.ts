/**
 * The messages of a send as LINE checks them, and what a person can do with each bubble: see it, open its URLs, tap its
 * buttons, play it (Messaging API reference, message objects).
 */
import { isObject, type JsonObject } from '../caller.ts';
import { type Detail, LineError } from './line-error.ts';

export type Bubble = {
  /** From 1. */
  seq: number;
  type: string;
  urls: string[];
  isMedia: boolean;
  /** Of a video whose end the account wants to be told of. */
  trackingId: string | null;
  /** The data of its postback buttons. */
  postbacks: string[];
};

const messagesMax = 5;
const textMax = 5_000;
const depthMax = 20;

/** What each type cannot be without. */
const required: Record<string, readonly string[]> = {
  text: ['text'],
  textV2: ['text'],
  image: ['originalContentUrl', 'previewImageUrl'],
  video: ['originalContentUrl', 'previewImageUrl'],
  audio: ['originalContentUrl', 'duration'],
  location: ['title', 'address', 'latitude', 'longitude'],
  sticker: ['packageId', 'stickerId'],
  template: ['altText', 'template'],
  imagemap: ['baseUrl', 'altText', 'baseSize', 'actions'],
  flex: ['altText', 'contents'],
  coupon: ['couponId'],
};
const typeList = Object.keys(required).join(', ');
const quotable = ['text', 'textV2', 'image', 'video', 'sticker', 'template'];

/** The bubbles of a request's `messages`. Throws LineError 400 with each thing that is wrong. */
export function readMessages(messages: unknown): Bubble[] {
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > messagesMax) {
    throw badRequest([{ message: `Size must be between 1 and ${messagesMax}`, property: 'messages' }]);
  }
  const details = messages.flatMap((message, place) => problemsOf(message, `messages[${place}]`));
  if (details.length > 0) throw badRequest(details);
  return messages.filter(isObject).map(toBubble);
}

/** Whether people can quote a message of the type. */
export function isQuotable(type: string): boolean {
  return quotable.includes(type);
}

function badRequest(details: Detail[]): LineError {
  return new LineError(400, `The request body has ${details.length} error(s)`, { details });
}

function problemsOf(message: unknown, place: string): Detail[] {
  const type = isObject(message) ? message.type : undefined;
  if (!isObject(message) || type === undefined || type === '') {
    return [{ message: 'May not be empty', property: `${place}.type` }];
  }
  const needs = typeof type === 'string' ? required[type] : undefined;
  if (needs === undefined) {
    return [{ message: `Must be one of the following values: [${typeList}]`, property: `${place}.type` }];
  }
  const missing = needs
    .filter((name) => message[name] === undefined || message[name] === null || message[name] === '')
    .map((name) => ({ message: 'May not be empty', property: `${place}.${name}` }));
  const isTooLong = typeof message.text === 'string' && message.text.length > textMax;
  if (isTooLong)
    missing.push({ message: `Length must be between 0 and ${textMax}`, property: `${place}.text` });
  return missing;
}

function toBubble(message: JsonObject, place: number): Bubble {
  const found = { urls: new Set<string>(), postbacks: new Set<string>() };
  collect(message, found, 0);
  const text = typeof message.text === 'string' ? message.text : '';
  for (const [url] of text.matchAll(/https?:\/\/[^\s<>"'）】」]+/g)) found.urls.add(url);
  return {
    seq: place + 1,
    type: String(message.type),
    urls: [...found.urls],
    isMedia: message.type === 'video' || message.type === 'audio',
    trackingId: typeof message.trackingId === 'string' ? message.trackingId : null,
    postbacks: [...found.postbacks],
  };
}

function collect(value: unknown, found: { urls: Set<string>; postbacks: Set<string> }, depth: number): void {
  if (depth > depthMax) return;
  if (Array.isArray(value)) for (const item of value) collect(item, found, depth + 1);
  if (!isObject(value)) return;
  const { type, uri, linkUri, data } = value;
  if (type === 'uri') for (const url of [uri, linkUri]) if (isWebUrl(url)) found.urls.add(url);
  if (type === 'postback' && typeof data === 'string') found.postbacks.add(data);
  for (const inner of Object.values(value)) collect(inner, found, depth + 1);
}

function isWebUrl(url: unknown): url is string {
  return typeof url === 'string' && /^https?:\/\//.test(url);
}
