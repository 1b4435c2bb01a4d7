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
    cause: 'The API token is missing, malformed, not ours, or past its 30 days.',
    remedy: 'Send `Authorization: Bearer <API token>`; refresh an expired pair with `POST /openapi/token`.',
  },
  PERMISSION_DENIED: {
    status: 403,
    mantago: 1002,
    cause: 'The token belongs to another bot, or the secret is not the one of its pair.',
    remedy: 'Use the token and the secret that were given out together, with the bot they were given for.',
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
    cause: 'No bot has the `botId` of the query.',
    remedy: 'See `shoal bot list`.',
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
  VARIABLES_INVALID: {
    status: 404,
    mantago: 110000,
    cause: 'A field is missing or wrong, or the body is not JSON.',
    remedy: 'The message names the field and what was expected. MantaGo answers this with 404, not 400.',
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
  NOT_BUILT: {
    status: 501,
    mantago: 501,
    cause: 'The operation is in the contract, but this version of Shoal does not have it.',
    remedy: 'See the changelog for the operations that are served.',
  },
  RATE_LIMITED: {
    status: 429,
    mantago: 429,
    cause: 'The bot has used up its calls a minute (`SHOAL_RATE_LIMIT`).',
    remedy: 'Wait for the seconds in `Retry-After`.',
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
    cause: 'A command or an import file holds something that cannot be taken.',
    remedy: 'The message names the place and what was expected.',
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

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }

  get entry(): RefusalEntry {
    return catalogue[this.code];
  }
}
