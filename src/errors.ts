/**
 * The catalogue of refusals: expected errors that callers see. Each API renders a `Refusal` in its own envelope. Any other error is a
 * bug or an outage. It is logged, and the caller sees none of it. `docs/errors.md` is generated from this table.
 */

/** Without `mantago`: MantaGo's API never answers it. */
export type RefusalEntry = { status: number; mantago?: number; cause: string; remedy: string };

export const catalogue = {
  TOKEN_INVALID: {
    status: 401,
    mantago: 1004,
    cause:
      'The token is missing, malformed, unknown, revoked or expired. The tokens of an API pair expire after 30 days.',
    remedy:
      'Send `Authorization: Bearer <token>`. Refresh an expired pair with `POST /openapi/token`; create an admin token with `shoal admin-token create`.',
  },
  PERMISSION_DENIED: {
    status: 403,
    mantago: 1002,
    cause: 'The token belongs to another bot, or the secret belongs to another pair.',
    remedy: 'Use the token and secret of one pair, with their bot.',
  },
  SCOPE_TOO_SMALL: {
    status: 403,
    cause:
      'The scope of the token or user does not allow this, or the token or user is limited to some bots.',
    remedy:
      "The message names the required scope. Create such a token with `shoal admin-token create` (for LINE's calls: `shoal channel token create`), or change the user.",
  },
  SIGN_IN_FAILED: {
    status: 401,
    cause: 'The user name, password or admin token is wrong.',
    remedy: 'Try again. `shoal user list` shows the names, `shoal user password` sets a new password.',
  },
  SIGN_IN_LIMITED: {
    status: 429,
    cause:
      'Too many failed sign-ins for this name or from this address, or too many sign-ins at the same time.',
    remedy: 'Wait for the seconds in `Retry-After`. Until then the correct password is refused, too.',
  },
  SETUP_LINK_INVALID: {
    status: 401,
    cause: 'The setup link is older than an hour, or a user was created with it or with another setup link.',
    remedy: 'Run `shoal setup-link` where the server runs, and open the new link.',
  },
  SESSION_INVALID: {
    status: 401,
    cause:
      'There is no session, or it ended: it expired, was signed out, or its user or admin token was revoked.',
    remedy: 'Sign in.',
  },
  CSRF_TOKEN_INVALID: {
    status: 403,
    cause: "A change with a session cookie came without the session's CSRF token, or from another origin.",
    remedy: "Send the session's `csrfToken` in the header `X-CSRF-Token`.",
  },
  PAIR_REPLACED: {
    status: 404,
    mantago: 120000,
    cause: 'The token belongs to an API pair that was replaced by a refresh.',
    remedy: 'Use the newest pair.',
  },
  BOT_NOT_FOUND: {
    status: 404,
    mantago: 5001,
    cause: 'The bot does not exist, or the admin token or user has no access to it.',
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
    cause: 'None of the requested contacts exists in the bot.',
    remedy: 'Use encoded client ids of this bot, or platform ids of people who have been in contact.',
  },
  BLOCK_NOT_RECORDABLE: {
    status: 409,
    cause: 'The business can record blocks only on Facebook and in live chat (docs/figures.md, section 4).',
    remedy: 'LINE reports its blocks by itself. The other platforms have no such figure.',
  },
  TAG_NOT_FOUND: {
    status: 404,
    mantago: 404,
    cause: 'The bot has no tag with that id, or the tag is of another kind.',
    remedy: 'Take the id from the list of tags of that kind.',
  },
  TAG_EXISTS: {
    status: 409,
    mantago: 403,
    cause: 'The bot already has a tag of that kind and name.',
    remedy: 'Use the existing tag, or another name.',
  },
  BIND_FAILED: {
    status: 404,
    mantago: 60001,
    cause: 'The bot has no contact with that `clientId`, or several platforms have one.',
    remedy: 'Send the platform id of a person who has been in contact.',
  },
  UNBIND_FAILED: {
    status: 404,
    mantago: 60002,
    cause: 'The contact does not exist, or is not bound to that `customerId`.',
    remedy: "See the contact's `customerId` in the list of clients.",
  },
  VARIABLES_INVALID: {
    status: 404,
    mantago: 110000,
    cause: 'A field is missing or invalid, or the body is not JSON.',
    remedy: 'The message names the field and the expected value. MantaGo answers this with 404, not 400.',
  },
  IMPORT_NOT_FOUND: {
    status: 404,
    cause: 'Nothing was imported from MantaGo for this bot yet.',
    remedy: 'Start an import: `shoal mantago import`, or Settings, MantaGo.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no job with that number. Jobs are deleted 30 days after they end.',
    remedy: 'List the jobs of the bot.',
  },
  DELIVERY_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no delivery with that number, or it was deleted after the retention time.',
    remedy: 'List the deliveries. `SHOAL_RETENTION_DAYS` sets the retention time.',
  },
  NOTICE_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no webhook message with that number.',
    remedy:
      'List them with `GET /api/v1/bots/{botId}/callback/deliveries`. Old messages are deleted after `SHOAL_CALLBACK_LOG_DAYS`.',
  },
  ALERT_TARGET_NOT_FOUND: {
    status: 404,
    cause: 'The alerts of the bot have no target with that number.',
    remedy: 'List them with `shoal alerts targets BOT` or `GET /api/v1/bots/{botId}/alert-targets`.',
  },
  ADMIN_TOKEN_NOT_FOUND: {
    status: 404,
    cause: 'The admin token does not exist, or the caller has no access to its bots.',
    remedy: 'See `shoal admin-token list`.',
  },
  LINE_TOKEN_NOT_FOUND: {
    status: 404,
    cause: "The bot has no token for LINE's calls with that id.",
    remedy: 'See `shoal channel token list BOT line`.',
  },
  USER_NOT_FOUND: {
    status: 404,
    cause: 'The user does not exist, or the caller has no access to its bots.',
    remedy: 'See `shoal user list`.',
  },
  LAST_ADMIN: {
    status: 409,
    cause: 'The change would leave no enabled user with the scope admin for all bots.',
    remedy: 'Give another user that scope first.',
  },
  INVITATION_NOT_FOUND: {
    status: 404,
    cause: 'There is no valid invitation with that id, or the caller has no access to its bots.',
    remedy: 'List the invitations again.',
  },
  INVITATION_INVALID: {
    status: 401,
    cause: 'The invitation has expired, was used or was withdrawn.',
    remedy: 'Ask for a new invitation.',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    cause: 'The user has no session with that id. It may have ended.',
    remedy: 'List the sessions again.',
  },
  USER_EXISTS: {
    status: 409,
    cause: 'A user with that name already exists. Names ignore case.',
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
    cause: 'The bot has no send with that number; on LINE: no send with that request id is known.',
    remedy:
      'List the sends of the bot. On LINE: use the `X-Line-Request-Id` of a send through Shoal, or of one with stored statistics.',
  },
  CHANNEL_CLOSED: {
    status: 403,
    cause: 'The token is valid, but its LINE channel is disabled or has no access token.',
    remedy: 'Enable the channel, or set its access token with `shoal channel set`.',
  },
  CALL_INVALID: {
    status: 400,
    cause: 'A LINE call through the gateway has an address or header that cannot be forwarded.',
    remedy: 'The message names the expected value.',
  },
  CALL_TOO_LARGE: {
    status: 413,
    cause: 'The body of a LINE call is larger than the gateway accepts.',
    remedy: 'LINE accepts 2 MB for messages.',
  },
  GATEWAY_UNAVAILABLE: {
    status: 503,
    cause: 'The database does not answer, so the call was not forwarded to LINE.',
    remedy: 'Nothing was sent. Retry after the seconds in `Retry-After`.',
  },
  LINE_UNREACHABLE: {
    status: 502,
    cause: 'LINE is unreachable, closed the connection, or returned an invalid response.',
    remedy:
      'The message says if nothing was sent or stored. If a send may have happened, retry with the same `X-Line-Retry-Key`.',
  },
  LINE_TOO_SLOW: {
    status: 504,
    cause: 'LINE did not answer in time.',
    remedy: 'As LINE_UNREACHABLE.',
  },
  SEND_NOT_RECORDED: {
    status: 500,
    cause: 'LINE accepted a send, but Shoal could not record it.',
    remedy:
      'Retry with the same `X-Line-Retry-Key`: LINE does not send twice, and Shoal then records the send. Without such a key, do not send again; `X-Line-Accepted-Request-Id` identifies the send.',
  },
  BROADCAST_FAILED: {
    status: 403,
    mantago: 36000,
    cause:
      'The broadcast cannot be created: the channel has no access token, or `intentId` names no message template.',
    remedy: 'Set the access token with `shoal channel set`. See the message templates of the bot.',
  },
  MAIL_NOT_CONFIGURED: {
    status: 409,
    cause: 'An e-mail would be sent, but the server has no SMTP server or no sender.',
    remedy:
      'Set `SHOAL_SMTP_URL` and `SHOAL_MAIL_FROM` (docs/operate.md, "E-mail"), restart the server, and try `shoal mail test`.',
  },
  MAIL_REFUSED: {
    status: 502,
    cause:
      'The SMTP server is unreachable, or refused the sign-in, the sender, the recipient or the message.',
    remedy: 'The message holds the answer of the server. Correct `SHOAL_SMTP_URL` or the address.',
  },
  MAIL_REPORT_NOT_FOUND: {
    status: 404,
    cause: 'There is no report by e-mail with that id, or the caller has no access to one of its bots.',
    remedy: 'See `shoal report list`.',
  },
  GIFT_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no gift with that id or name.',
    remedy: 'List the gifts of the bot.',
  },
  GIFT_EXISTS: {
    status: 409,
    cause: 'The bot already has a gift of that name.',
    remedy: 'Use the existing gift, or another name.',
  },
  GIFT_OUT_OF_STOCK: {
    status: 409,
    cause: 'As many of the gift as its stock are granted.',
    remedy: 'Raise the stock of the gift.',
  },
  GIFT_EXPIRED: {
    status: 409,
    cause: 'The gift has expired, so it cannot be granted or redeemed.',
    remedy: 'Change the expiry time of the gift.',
  },
  GIFT_REDEEMED: {
    status: 409,
    cause: 'The granted gift was redeemed before, with another key.',
    remedy: 'List the gifts of the contact.',
  },
  GRANT_NOT_FOUND: {
    status: 404,
    cause: 'The contact has no granted gift with that number.',
    remedy: 'List the gifts of the contact.',
  },
  TEMPLATE_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no message template with that id.',
    remedy: 'List the message templates of the bot.',
  },
  ANNOTATION_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no annotation with that id.',
    remedy: 'List the annotations of the bot.',
  },
  TEMPLATE_EXISTS: {
    status: 409,
    cause: 'The bot already has a message template of that name.',
    remedy: 'Use the existing template, or another name.',
  },
  RATE_LIMITED: {
    status: 429,
    mantago: 429,
    cause:
      'The bot, admin token, user, live chat visitor or live chat address used all its calls of this minute (`SHOAL_RATE_LIMIT`, `SHOAL_ADMIN_RATE_LIMIT`, `SHOAL_CHAT_VISITOR_LIMIT`, `SHOAL_CHAT_ADDRESS_LIMIT`).',
    remedy: 'Wait for the seconds in `Retry-After`.',
  },
  READ_TOO_LONG: {
    status: 503,
    cause: 'The figures had to be counted from all events of the bot, which took too long.',
    remedy:
      "Request the bot's own zone, for which figures are stored by day, or fewer platforms and figures.",
  },
  TRANSFERS_BUSY: {
    status: 503,
    cause:
      'The maximum number of exports or imports is running: in total, for the admin token, or for the bot.',
    remedy: 'Wait at least the seconds in `Retry-After`, until one has ended. `shoal export` is not limited.',
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    mantago: 500,
    cause:
      'The database is unreachable, does not answer, or has no space. MantaGo answers 500, since its contract has no 503.',
    remedy:
      'Retry after the seconds in `Retry-After`. A change may have been stored: repeat it with the same key or id.',
  },
  SERVER_STOPPING: {
    status: 503,
    cause: 'The server stops, and the export had not returned its first row.',
    remedy:
      'Retry after the seconds in `Retry-After`. Another server answers, or the same one after its restart.',
  },
  SERVER_BUSY: {
    status: 503,
    mantago: 500,
    cause:
      'The request bodies in memory reached the limit, in total or for one caller (`SHOAL_BODY_BYTES_MAX`).',
    remedy: 'Retry after the seconds in `Retry-After`. Send large bodies one after the other.',
  },
  INTERNAL: {
    status: 500,
    mantago: 500,
    cause: 'A fault of the server. The log has the details.',
    remedy: 'Try again. Inform the operator if it continues.',
  },
  INPUT_INVALID: {
    status: 400,
    cause: 'A command, a management call or an import file contains an invalid value.',
    remedy: 'The message names the place and the expected value.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    mantago: 413,
    cause:
      'The body is larger than the limit: 1 MiB for a MantaGo call; 64 KiB for a management call, 2 MiB for one that names many contacts, 8 MiB for an import. For a compressed body, the size after decompression counts.',
    remedy: 'Send less in one call.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    mantago: 415,
    cause:
      'The body is not JSON (for an import: CSV or NDJSON), or its charset is not UTF-8, or its encoding is not gzip.',
    remedy:
      'Send it with `Content-Type: application/json`; for an import `text/csv` or `application/x-ndjson`. Use UTF-8, uncompressed or with `Content-Encoding: gzip`.',
  },
  ADDRESS_TOO_LONG: {
    status: 414,
    mantago: 414,
    cause: 'The address, or an id in its path, is longer than any that exists.',
    remedy: 'Compare the address with the contract.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    mantago: 431,
    cause: 'The headers are larger than 16 KiB.',
    remedy: 'Send fewer or shorter headers. Send only the cookies of this server.',
  },
  EXPECTATION_FAILED: {
    status: 417,
    mantago: 417,
    cause: 'The header `Expect` has a value other than `100-continue`.',
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
    cause: "The resource has changed since the version in the call's `If-Match`.",
    remedy: 'Nothing was changed. Read it again, and repeat the change if it is still needed.',
  },
  RECOUNT_TOO_LARGE: {
    status: 409,
    cause:
      'A recount is needed, for itself or for another time zone or gap, and the bot has too many events for a recount within a call.',
    remedy: 'Nothing was changed. Use `shoal recount` or `shoal bot set`, which have no time limit.',
  },
  WIDGET_NOT_FOUND: {
    status: 404,
    cause: 'No enabled live chat has that widget key.',
    remedy:
      'Use the key that `shoal channel set BOT liveChat` prints. `shoal channel enable` enables the live chat again.',
  },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    cause:
      'The live chat is limited to pages of some origins, and this is not one of them. Or a page of another host calls `/mcp`.',
    remedy:
      'Add the origin with `shoal channel set BOT liveChat --allowed-origin`. Pass all origins in one call. For `/mcp`, set `SHOAL_PUBLIC_URL` to the address of the page.',
  },
  IDENTITY_INVALID: {
    status: 401,
    cause: 'A live chat session names a customer, but the hash of the identifier is wrong.',
    remedy:
      'Compute the hash on your own server with the identity key (docs/live-chat.md), never in the page.',
  },
  IDENTITY_REQUIRED: {
    status: 401,
    cause: 'The live chat accepts only identified customers, and the session names none.',
    remedy: 'Pass an identifier and its hash to the page, or switch this off with `--no-identity-required`.',
  },
  VISITOR_BLOCKED: {
    status: 403,
    cause: 'The business blocked this live chat visitor.',
    remedy: 'Nothing was stored. The business can unblock the contact.',
  },
  CHAT_QUOTA_REACHED: {
    status: 429,
    cause:
      'The visitor, the address or the live chat used all its bytes of this day (`SHOAL_CHAT_VISITOR_BYTES`, `SHOAL_CHAT_ADDRESS_BYTES`, `SHOAL_CHAT_BOT_BYTES`).',
    remedy:
      "Nothing was stored. A smaller message may fit. The next day in the bot's zone begins after the seconds in `Retry-After`.",
  },
  IMAGES_NOT_ALLOWED: {
    status: 403,
    cause:
      'A visitor sent an image, but is not identified and has no reply from the business yet (`SHOAL_CHAT_IMAGES`).',
    remedy: 'Nothing was stored. Send text until the business replies, or identify the visitor.',
  },
  MESSAGE_ID_TAKEN: {
    status: 409,
    cause: 'The id of a live chat message belongs to another message.',
    remedy: 'Create a new ULID for each message. Reuse it only to send the identical message again.',
  },
  IMAGE_NOT_FOUND: {
    status: 404,
    cause: 'The live chat has no image with that id, or the image expired (`SHOAL_CHAT_IMAGE_DAYS`).',
    remedy: 'Take the id from the list of messages.',
  },
  PICTURE_NOT_FOUND: {
    status: 404,
    cause: 'The platform reports no picture of the contact, or none that can be fetched now.',
    remedy: 'Show the name instead.',
  },
  CHAT_NOT_FOUND: {
    status: 404,
    cause: 'The bot has no live chat with that visitor, or it was deleted.',
    remedy: 'Take the id from the list of chats.',
  },
  CHAT_UNAVAILABLE: {
    status: 503,
    cause: 'A live chat message could not be stored, or it is unknown if it was.',
    remedy: 'Send it again with the same id after the seconds in `Retry-After`. It is stored once.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    cause: 'The address is a WebSocket.',
    remedy: 'Open it with a WebSocket client.',
  },
  POINTS_INSUFFICIENT: {
    status: 409,
    cause: 'A change takes more points than are available.',
    remedy: 'Nothing was taken. Take at most the available points.',
  },
  ENTRY_NOT_FOUND: {
    status: 404,
    cause: 'The contact has no points entry with that number.',
    remedy: "Take the contact and the entry from the contact's history.",
  },
  ENTRY_NOT_REVERSIBLE: {
    status: 409,
    cause: 'The entry was reversed before, or cannot be reversed: it is an expiry or a reversal.',
    remedy: 'Nothing was changed. Correct a wrong reversal with a new change.',
  },
  KEY_REUSED: {
    status: 409,
    cause: 'An idempotency key was used again with different content.',
    remedy: 'Use a new key for a new change. Repeat a change with identical content.',
  },
} as const satisfies Record<string, RefusalEntry>;

export type RefusalCode = keyof typeof catalogue;

/** An expected error, with a code of the catalogue and a message that is safe to show. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** Null: unknown. */
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

/** The refusal of an invalid value. The message names the place and the expected value. */
export function invalidInput(message: string): Refusal {
  return new Refusal('INPUT_INVALID', message);
}
