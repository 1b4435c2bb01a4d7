/** A refusal as LINE words it: status, message, details, headers (Messaging API reference, "Error responses"). */

export type Detail = { message: string; property: string };

export class LineError extends Error {
  readonly status: number;
  /** The whole body of the answer. */
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;

  /** `more`: what stands in the body beside the message. */
  constructor(status: number, message: string, more: object = {}, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.body = { message, ...more };
    this.headers = headers;
  }
}

/** The refusal of a property of the request's body. */
export function invalidProperty(name: string): LineError {
  return new LineError(400, `The property, ${name}, in the request body is invalid (line: -, column: -)`);
}

/** The refusal of a query or path parameter. */
export function invalidParameter(name: string): LineError {
  return new LineError(400, `The value for the '${name}' parameter is invalid`);
}

export function notFound(): LineError {
  return new LineError(404, 'Not found');
}
