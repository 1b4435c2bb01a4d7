/** An error answer of the Graph API (manual: "Handle errors"; "Error codes" of the Messenger Platform and of WhatsApp). */

export type GraphFault = { status: number; code: number; subcode?: number; message: string; type?: string };

export class GraphError extends Error {
  readonly fault: GraphFault;

  constructor(fault: GraphFault) {
    super(fault.message);
    this.fault = fault;
  }

  /** The whole body of the answer. */
  body(traceId: string): object {
    const { code, subcode, message, type = 'OAuthException' } = this.fault;
    const details = subcode === undefined ? {} : { error_subcode: subcode };
    return { error: { message, type, code, ...details, fbtrace_id: traceId } };
  }
}

export const tokenMissing: GraphFault = {
  ...{ status: 401, code: 104, message: 'An access token is required to request this resource.' },
};
export const tokenInvalid: GraphFault = {
  ...{ status: 401, code: 190, message: 'Invalid OAuth access token - Cannot parse access token' },
};
export const tokenExpired: GraphFault = {
  ...{ status: 401, code: 190, subcode: 463 },
  message: 'Error validating access token: Session has expired.',
};
export const appLimited: GraphFault = {
  ...{ status: 403, code: 4, message: '(#4) Application request limit reached' },
};
export const blocked: GraphFault = {
  ...{ status: 400, code: 551, subcode: 1545041, message: "(#551) This person isn't available right now." },
};
export const outsideWindow: GraphFault = {
  ...{ status: 400, code: 10, subcode: 2018278 },
  message: '(#10) This message is sent outside of allowed window.',
};
export const tooFewLikes: GraphFault = {
  ...{ status: 400, code: 100, subcode: 2108006 },
  message: '(#100) Insights data is not available for this account.',
};

/** The permission that the token lacks. */
export function permissionMissing(scope: string): GraphFault {
  return { status: 403, code: 10, message: `(#10) This endpoint requires the '${scope}' permission` };
}

/** The account's limit of calls: Pages 80001, Instagram 80002, WhatsApp 80007. */
export function accountLimited(code: number): GraphFault {
  return { status: 400, code, message: `(#${code}) There have been too many calls to this account.` };
}

export function unknownObject(id: string): GraphFault {
  return {
    ...{ status: 400, code: 100, subcode: 33, type: 'GraphMethodException' },
    message: `Unsupported get request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions`,
  };
}

export function invalidParameter(message: string): GraphFault {
  return { status: 400, code: 100, message: `(#100) ${message}` };
}
