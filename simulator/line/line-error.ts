/** An error answer in LINE's words: status, message, details, headers (Messaging API reference, "Error responses"). */

export type Detail = { message: string; property: string };

export class LineError extends Error {
  readonly status: number;
  /** The whole body of the answer. */
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;

  /** `fields`: the fields of the body after the message. */
  constructor(status: number, message: string, fields: object = {}, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.body = { message, ...fields };
    this.headers = headers;
  }
}

/** The error for a property of the request body. */
export function invalidProperty(name: string): LineError {
  return new LineError(400, `The property, ${name}, in the request body is invalid (line: -, column: -)`);
}

/** The error for a query or path parameter. */
export function invalidParameter(name: string): LineError {
  return new LineError(400, `The value for the '${name}' parameter is invalid`);
}

export function notFound(): LineError {
  return new LineError(404, 'Not found');
}
