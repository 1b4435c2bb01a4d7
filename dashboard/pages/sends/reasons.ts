/**
 * Why a platform refused a message, by its code. Sources, read 2026-11: Cloud API "Error codes"; Messenger Platform "Error codes";
 * Messaging API reference, "Status codes". docs/sending.md has the codes of Shoal.
 */
import { t } from '../../texts/campaign.ts';

type Reason = Extract<
  Parameters<typeof t>[0],
  | 'outsideWindow'
  | 'invalidRecipient'
  | 'samePerson'
  | 'unavailable'
  | 'failedLater'
  | 'tooManyMarketing'
  | 'optedOut'
  | 'tooFast'
  | 'templateUnknown'
  | 'templateParameters'
  | 'notAllowed'
  | 'invalidMessage'
>;

const codes: Readonly<Record<Reason, readonly string[]>> = {
  outsideWindow: ['outside-window', '131047', '10-2018278', '10-2534022', '10-2018065'],
  invalidRecipient: ['invalid-recipient', '100-2018001', '100-2534014', 'http-404', 'TOKEN_INVALID'],
  samePerson: ['same-person'],
  unavailable: ['551', '551-1545041', '131026', 'VISITOR_BLOCKED'],
  failedLater: ['failed'],
  tooManyMarketing: ['131049', '130472'],
  optedOut: ['131050'],
  tooFast: ['131056'],
  templateUnknown: ['132001', '132015', '132016'],
  templateParameters: ['132000', '132005', '132012', '131008', '131009'],
  notAllowed: ['10', '200', '131005'],
  invalidMessage: ['100', '131051', 'http-400', 'http-413', 'http-422'],
};

const reasons = new Map(
  Object.entries(codes).flatMap(([reason, ofReason]) => ofReason.map((code) => [code, reason as Reason])),
);

/** The reason in the user's language. */
export function reasonOf(code: string): string {
  return t(reasons.get(code) ?? 'otherReason');
}
