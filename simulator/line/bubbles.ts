/**
 * The messages of a send: LINE's checks, and the URLs, buttons and media of each bubble that people can react to (Messaging
 * API reference, message objects).
 */
import { isObject, type JsonObject } from '../../src/json.ts';
import { type Detail, LineError } from './line-error.ts';

export type Bubble = {
  /** From 1. */
  seq: number;
  type: string;
  urls: string[];
  isMedia: boolean;
  /** Of a video for which the account wants a `videoPlayComplete` event. */
  trackingId: string | null;
  /** The data of its postback buttons. */
  postbacks: string[];
};

const messagesMax = 5;
const textMax = 5_000;
const depthMax = 20;

/** The required properties of each type. */
const requiredProperties: Record<string, readonly string[]> = {
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
const typeList = Object.keys(requiredProperties).join(', ');
const quotableTypes = ['text', 'textV2', 'image', 'video', 'sticker', 'template'];

/** The bubbles of a request's `messages`. Throws LineError 400 with every problem. */
export function readMessages(messages: unknown): Bubble[] {
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > messagesMax) {
    throw badRequest([{ message: `Size must be between 1 and ${messagesMax}`, property: 'messages' }]);
  }
  const details = messages.flatMap((message, index) => problemsOf(message, `messages[${index}]`));
  if (details.length > 0) throw badRequest(details);
  return messages.filter(isObject).map(toBubble);
}

/** True when people can quote a message of the type. */
export function isQuotable(type: string): boolean {
  return quotableTypes.includes(type);
}

function badRequest(details: Detail[]): LineError {
  return new LineError(400, `The request body has ${details.length} error(s)`, { details });
}

function problemsOf(message: unknown, path: string): Detail[] {
  const type = isObject(message) ? message.type : undefined;
  if (!isObject(message) || type === undefined || type === '') {
    return [{ message: 'May not be empty', property: `${path}.type` }];
  }
  const properties = typeof type === 'string' ? requiredProperties[type] : undefined;
  if (properties === undefined) {
    return [{ message: `Must be one of the following values: [${typeList}]`, property: `${path}.type` }];
  }
  const problems = properties
    .filter((name) => message[name] === undefined || message[name] === null || message[name] === '')
    .map((name) => ({ message: 'May not be empty', property: `${path}.${name}` }));
  const isTooLong = typeof message.text === 'string' && message.text.length > textMax;
  if (isTooLong)
    problems.push({ message: `Length must be between 0 and ${textMax}`, property: `${path}.text` });
  return problems;
}

function toBubble(message: JsonObject, index: number): Bubble {
  const actions = { urls: new Set<string>(), postbacks: new Set<string>() };
  collectActions(message, actions, 0);
  const text = typeof message.text === 'string' ? message.text : '';
  for (const [url] of text.matchAll(/https?:\/\/[^\s<>"'）】」]+/g)) actions.urls.add(url);
  return {
    seq: index + 1,
    type: String(message.type),
    urls: [...actions.urls],
    isMedia: message.type === 'video' || message.type === 'audio',
    trackingId: typeof message.trackingId === 'string' ? message.trackingId : null,
    postbacks: [...actions.postbacks],
  };
}

function collectActions(
  value: unknown,
  actions: { urls: Set<string>; postbacks: Set<string> },
  depth: number,
): void {
  if (depth > depthMax) return;
  if (Array.isArray(value)) for (const item of value) collectActions(item, actions, depth + 1);
  if (!isObject(value)) return;
  const { type, uri, linkUri, data } = value;
  if (type === 'uri') for (const url of [uri, linkUri]) if (isWebUrl(url)) actions.urls.add(url);
  if (type === 'postback' && typeof data === 'string') actions.postbacks.add(data);
  for (const member of Object.values(value)) collectActions(member, actions, depth + 1);
}

function isWebUrl(url: unknown): url is string {
  return typeof url === 'string' && /^https?:\/\//.test(url);
}
