/**
 * The catalogue of refusals. Whoever refuses a caller throws `new Refusal(code, message)`; each API renders it in its own
 * envelope. What is not a Refusal is a bug or an outage: all of it goes to the log, none of it to the caller.
 * `docs/errors.md` is generated from this table.
 */

export type RefusalEntry = { status: number; mantago: number | null; cause: string; remedy: string };

export const catalogue = {
  TOKEN_INVALID: {
    status: 401,
    mantago: 1004,
    cause: 'The token is missing, malformed, not ours, revoked, expired, or (of a pair) past its 30 days.',
    remedy:
      'Send `Authorization: Bearer <token>`; refresh an expired pair with `POST /openapi/token`, make an admin token with `shoal admin-token create`.',
  },
  PERMISSION_DENIED: {
    status: 403,
    mantago: 1002,
    cause: 'The token belongs to another bot, or the secret is not the one of its pair.',
    remedy: 'Use the token and the secret that were given out together, with the bot they were given for.',
  },
  SCOPE_TOO_SMALL: {
    status: 403,
    mantago: null,
    cause: 'The token or the user may not do this: the scope is too small, or it is for some bots only.',
    remedy:
      "The message names the needed scope. Make such a token with `shoal admin-token create` (for LINE's calls: `shoal channel token create`), or change the user.",
  },
  SIGN_IN_FAILED: {
    status: 401,
    mantago: null,
    cause: 'The user name, the password or the admin token is wrong. Which of them is not told.',
    remedy: 'Try again; `shoal user list` shows the names, `shoal user password` sets a password anew.',
  },
  SIGN_IN_LIMITED: {
    status: 429,
    mantago: null,
    cause:
      'Too many attempts to sign in failed for this name or from this address, or too many sign in at this moment.',
    remedy: 'Wait for the seconds in `Retry-After`; until then the right password is refused, too.',
  },
  SESSION_INVALID: {
    status: 401,
    mantago: null,
    cause: 'There is no session, or it has ended: by time, by signing out, or with its user or admin token.',
    remedy: 'Sign in.',
  },
  CSRF_TOKEN_INVALID: {
    status: 403,
    mantago: null,
    cause:
      "A change was asked for with a session's cookie, but without the session's CSRF token, or by a foreign page.",
    remedy: 'Send the `csrfToken` of the session in the header `X-CSRF-Token`.',
  },
  PAIR_REPLACED: {
    status: 404,
    mantago: 120000,
    cause: 'The token is of a pair that a refresh has replaced.',
    remedy: 'Use the newest pair.',
  },
  BOT_NOT_FOUND: {
    status: 404,
    mantago: 5001,
    cause: 'No bot has that id, or the admin token or the user is not for that bot.',
    remedy: 'See `shoal bot list` and `shoal admin-token list`.',
  },
  CHANNEL_NOT_FOUND: {
    status: 404,
    mantago: 11001,
    cause: 'The bot has no enabled channel on that platform.',
    remedy: 'Connect it with `shoal channel set`.',
  },
  CONTACT_NOT_FOUND: {
    status: 404,
    mantago: 37011,
    cause: 'The bot knows none of the contacts asked for.',
    remedy:
      'Ask for encoded client ids of this bot, or ids on the platform of people who have been in touch.',
  },
  BLOCK_NOT_RECORDABLE: {
    status: 409,
    mantago: null,
    cause:
      "Only on Facebook and in live chat is a contact's block for the business to record (docs/figures.md, section 4).",
    remedy: 'LINE tells of its blocks by itself; for the other platforms there is no such figure.',
  },
  TAG_NOT_FOUND: {
    status: 404,
    mantago: 404,
    cause: 'The bot has no tag with that id, or it is of another kind.',
    remedy: 'Take the id from the list of the tags of that kind.',
  },
  TAG_EXISTS: {
    status: 409,
    mantago: 403,
    cause: 'The bot has a tag of that kind and name already.',
    remedy: 'Use the tag that is there, or another name.',
  },
  BIND_FAILED: {
    status: 404,
    mantago: 60001,
    cause: 'The bot knows no contact with that `clientId`, or several platforms have one.',
    remedy: 'Send the id on the platform of somebody who has been in touch.',
  },
  UNBIND_FAILED: {
    status: 404,
    mantago: 60002,
    cause: 'The contact is unknown, or is not bound to that `customerId`.',
    remedy: "See the contact's `customerId` in the list of clients.",
  },
  VARIABLES_INVALID: {
    status: 404,
    mantago: 110000,
    cause: 'A field is missing or wrong, or the body is not JSON.',
    remedy: 'The message names the field and what was expected. MantaGo answers this with 404, not 400.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The bot has no job of that number; jobs are deleted 30 days after they end.',
    remedy: 'List the jobs of the bot.',
  },
  DELIVERY_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The bot has no delivery of that number, or it was deleted after its time.',
    remedy: 'List the deliveries; `SHOAL_RETENTION_DAYS` says how long they are kept.',
  },
  NOTICE_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The bot has no notice of that number.',
    remedy:
      'List them with `GET /api/v1/bots/{botId}/callback/deliveries`; old ones are deleted after a while.',
  },
  ADMIN_TOKEN_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'There is no admin token with that id, or not for a caller with these bots.',
    remedy: 'See `shoal admin-token list`.',
  },
  LINE_TOKEN_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: "The bot has no made token for LINE's calls with that id.",
    remedy: 'See `shoal channel token list BOT line`.',
  },
  USER_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'There is no such user, or not for a caller with these bots.',
    remedy: 'See `shoal user list`.',
  },
  USER_EXISTS: {
    status: 409,
    mantago: null,
    cause: 'There is a user of that name already; case makes no difference.',
    remedy: 'Use another name.',
  },
  OPERATION_NOT_FOUND: {
    status: 404,
    mantago: 404,
    cause: 'The contract has no such path.',
    remedy: 'Compare the address with the contract.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    mantago: 405,
    cause: 'The contract has the path, but not with this method.',
    remedy: 'Use a method of the `Allow` header.',
  },
  SEND_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'Nothing is known of a LINE send with that request id.',
    remedy:
      'Ask with the `X-Line-Request-Id` of a send that went through Shoal, or whose statistics it holds.',
  },
  CHANNEL_CLOSED: {
    status: 403,
    mantago: null,
    cause: 'A token is good, but its LINE channel is disabled, or has no access token to call LINE with.',
    remedy: 'Enable the channel, or give it its access token with `shoal channel set`.',
  },
  CALL_INVALID: {
    status: 400,
    mantago: null,
    cause: 'A call of LINE through the gateway has an address or a header that cannot be handed on.',
    remedy: 'The message says what was expected.',
  },
  CALL_TOO_LARGE: {
    status: 413,
    mantago: null,
    cause: 'The body of a call of LINE is larger than the gateway takes.',
    remedy: 'LINE takes 2 MB for messages.',
  },
  GATEWAY_UNAVAILABLE: {
    status: 503,
    mantago: null,
    cause: 'The database does not answer, so a call was not handed on to LINE.',
    remedy: 'Nothing was sent. Try again after the seconds in `Retry-After`.',
  },
  LINE_UNREACHABLE: {
    status: 502,
    mantago: null,
    cause: "LINE cannot be reached, cut the connection, or answered what is not LINE's.",
    remedy:
      'The message says whether a send is known not to have happened. If it may have, ask again with the same `X-Line-Retry-Key`.',
  },
  LINE_TOO_SLOW: {
    status: 504,
    mantago: null,
    cause: 'LINE did not answer in time.',
    remedy: 'As LINE_UNREACHABLE.',
  },
  SEND_NOT_RECORDED: {
    status: 500,
    mantago: null,
    cause: 'LINE accepted a send, but it could not be recorded here.',
    remedy:
      'Ask again with the same `X-Line-Retry-Key`: LINE does not send twice, and the send is recorded then. Without such a key do not send again; `X-Line-Accepted-Request-Id` names the send.',
  },
  NOT_BUILT: {
    status: 501,
    mantago: 501,
    cause: 'The operation is in the contract, but this version of Shoal does not have it.',
    remedy: 'See the changelog for the operations that are served.',
  },
  RATE_LIMITED: {
    status: 429,
    mantago: 429,
    cause:
      'The bot, the admin token, the user, or a visitor or address of live chat has used up its calls a minute (`SHOAL_RATE_LIMIT`, `SHOAL_ADMIN_RATE_LIMIT`, `SHOAL_CHAT_VISITOR_LIMIT`, `SHOAL_CHAT_ADDRESS_LIMIT`).',
    remedy: 'Wait for the seconds in `Retry-After`.',
  },
  READ_TOO_LONG: {
    status: 503,
    mantago: null,
    cause: 'Figures had to be counted from all events of the bot, and that took too long.',
    remedy:
      "Ask for the bot's own zone, in which figures are kept by day, or for fewer platforms and figures.",
  },
  TRANSFERS_BUSY: {
    status: 503,
    mantago: null,
    cause: 'As many exports or imports run as may at a time, in all, of one admin token or of one bot.',
    remedy: 'Wait until one has ended, at least the seconds in `Retry-After`. `shoal export` does not wait.',
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    mantago: 500,
    cause:
      'The database cannot be reached or does not answer. MantaGo answers 500, since its contract has no 503.',
    remedy:
      'Try again after the seconds in `Retry-After`. A change may have been made: send it with the same key or id.',
  },
  SERVER_BUSY: {
    status: 503,
    mantago: 500,
    cause:
      'The server holds as many bytes of request bodies as it may, in all or of one caller (`SHOAL_BODY_BYTES_MAX`).',
    remedy: 'Try again after the seconds in `Retry-After`. Send large bodies one after the other.',
  },
  INTERNAL: {
    status: 500,
    mantago: 500,
    cause: 'A fault of the server; the log holds the whole of it.',
    remedy: 'Try again; tell the operator when it stays.',
  },
  INPUT_INVALID: {
    status: 400,
    mantago: null,
    cause: 'A command, a management call or an import file holds something that cannot be taken.',
    remedy: 'The message names the place and what was expected.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    mantago: 413,
    cause:
      'The body is larger than the call takes: 1 MiB of a MantaGo call; 64 KiB of a management call, 2 MiB where many contacts are named, 8 MiB of an import. Of a compressed body this is the size after decompression.',
    remedy: 'Send less in one call.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    mantago: 415,
    cause:
      'The body is not JSON, of an import not CSV or NDJSON; or it has another charset than UTF-8, or another encoding than gzip.',
    remedy:
      'Send it with `Content-Type: application/json`; to an import `text/csv` or `application/x-ndjson`. Use UTF-8, plain or with `Content-Encoding: gzip`.',
  },
  ADDRESS_TOO_LONG: {
    status: 414,
    mantago: 414,
    cause: 'The address, or one id in its path, is longer than any that exists.',
    remedy: 'Compare the address with the contract.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    mantago: 431,
    cause: 'The headers have more than 16 KiB.',
    remedy: 'Send fewer or shorter headers; of cookies only those of this server.',
  },
  EXPECTATION_FAILED: {
    status: 417,
    mantago: 417,
    cause: 'The header `Expect` asks for something other than `100-continue`.',
    remedy: 'Send the request without `Expect`.',
  },
  REQUEST_TOO_SLOW: {
    status: 408,
    mantago: 408,
    cause: 'The request did not arrive in time.',
    remedy: 'Send it again.',
  },
  PRECONDITION_FAILED: {
    status: 412,
    mantago: null,
    cause: 'What is to be changed is no longer as the `If-Match` of the call says.',
    remedy: 'Nothing was changed. Read it again, and repeat the change if it is still wanted.',
  },
  RECOUNT_TOO_LARGE: {
    status: 409,
    mantago: null,
    cause: 'Another time zone or gap needs a recount, and the bot has too many events for one within a call.',
    remedy: 'Nothing was changed. Change it with `shoal bot set`, which takes its time.',
  },
  WIDGET_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'No live chat that is enabled has that widget key.',
    remedy:
      'Take the key that `shoal channel set BOT liveChat` prints; `shoal channel enable` switches it on again.',
  },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    mantago: null,
    cause: 'The live chat may only stand on pages of some origins, and this is not one of them.',
    remedy: 'Add the origin with `shoal channel set BOT liveChat --allowed-origin`, all of them in one call.',
  },
  IDENTITY_INVALID: {
    status: 401,
    mantago: null,
    cause: 'A live chat session names a customer, but the hash beside the identifier is not right.',
    remedy:
      'Make it on your own server with the identity key, as docs/live-chat.md shows; never in the page.',
  },
  IDENTITY_REQUIRED: {
    status: 401,
    mantago: null,
    cause: 'The live chat is for customers that the business vouches for, and the session names none.',
    remedy: 'Give the page an identifier and its hash, or switch it off with `--no-identity-required`.',
  },
  VISITOR_BLOCKED: {
    status: 403,
    mantago: null,
    cause: 'The business has blocked the visitor of a live chat.',
    remedy: 'Nothing was stored. The business may unblock the contact.',
  },
  CHAT_QUOTA_REACHED: {
    status: 429,
    mantago: null,
    cause:
      'The visitor, the address or the live chat has stored its bytes of this day (`SHOAL_CHAT_VISITOR_BYTES`, `SHOAL_CHAT_ADDRESS_BYTES`, `SHOAL_CHAT_BOT_BYTES`).',
    remedy:
      "Nothing was stored. A smaller message may fit; the next day of the bot's zone begins after the seconds in `Retry-After`.",
  },
  IMAGES_NOT_ALLOWED: {
    status: 403,
    mantago: null,
    cause:
      'A visitor sent an image, but is not identified and has no answer from the business yet (`SHOAL_CHAT_IMAGES`).',
    remedy: 'Nothing was stored. Send texts until the business answers, or identify the visitor.',
  },
  MESSAGE_ID_TAKEN: {
    status: 409,
    mantago: null,
    cause: 'A message of a live chat came with the id of another message.',
    remedy: 'Make a new ULID for each message; use it again only to send the very same message again.',
  },
  IMAGE_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The live chat has no image with that id, or its time is over (`SHOAL_CHAT_IMAGE_DAYS`).',
    remedy: 'Take the id from the list of messages.',
  },
  CHAT_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The bot has no live chat with that visitor, or it was erased.',
    remedy: 'Take the id from the list of chats.',
  },
  CHAT_UNAVAILABLE: {
    status: 503,
    mantago: null,
    cause: 'A message of a live chat could not be stored, or it is not known whether it was.',
    remedy: 'Send it again with the same id after the seconds in `Retry-After`: it is stored once.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    mantago: null,
    cause: 'The address is that of a WebSocket.',
    remedy: 'Open it with a WebSocket client.',
  },
  POINTS_INSUFFICIENT: {
    status: 409,
    mantago: null,
    cause: 'A change would take more points than are available.',
    remedy: 'Nothing was taken. Take at most what is available.',
  },
  ENTRY_NOT_FOUND: {
    status: 404,
    mantago: null,
    cause: 'The contact has no entry of points with that number.',
    remedy: "Take contact and entry from the contact's history.",
  },
  ENTRY_NOT_REVERSIBLE: {
    status: 409,
    mantago: null,
    cause: 'The entry was reversed before, or is one that cannot be: an expiry, or itself a reversal.',
    remedy: 'Nothing was changed. What a reversal got wrong is put right by a new change.',
  },
  KEY_REUSED: {
    status: 409,
    mantago: null,
    cause: 'An idempotency key came again with other content.',
    remedy: 'Use a new key for a new change; repeat a change with the very same content.',
  },
} as const satisfies Record<string, RefusalEntry>;

export type RefusalCode = keyof typeof catalogue;

/** A refusal to a caller: an expected outcome with a code of the catalogue and a message that is safe to show. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** Null: nothing is known of when it would be another answer. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: RefusalCode,
    message: string,
    { retryAfterSeconds = null, ...options }: ErrorOptions & { retryAfterSeconds?: number | null } = {},
  ) {
    super(message, options);
    this.name = 'Refusal';
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get entry(): RefusalEntry {
    return catalogue[this.code];
  }
}
