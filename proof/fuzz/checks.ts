/** What must hold for an answer to a call. */
import { differenceOf } from '../../tests/contract/contract-check.ts';
import type { Call } from './calls.ts';
import type { Answer } from './send.ts';

/** Documented answers of a server that refuses further work. */
const busyCodes = /"code":"(SERVER_BUSY|TRANSFERS_BUSY)"/;
/** The statuses of Node's HTTP parser and of paths that are no operation's. */
const otherStatuses = new Set([
  200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411, 412, 413, 414, 415, 417, 426, 429, 431,
]);

export type Problem = {
  /** Equal for the same fault: it distinguishes faults, and recognises one when a call is reduced. */
  kind: string;
  detail: string;
};

/** The first way in which the answer is wrong; null if there is none. `marker`: in every text of the foreign bot. */
export function problemOf(
  call: Call,
  answer: Answer,
  { marker, answerMsMax }: { marker: string; answerMsMax: number },
): Problem | null {
  const { operation, isOperation, maySeeForeign } = call;
  const { status, text, ms } = answer;
  const problem = (kind: string, detail = text.slice(0, 300)) => ({
    kind: `${operation.id}: ${kind}`,
    detail,
  });
  if (ms > answerMsMax) return problem('the answer is late', `${Math.round(ms)} ms`);
  if (!maySeeForeign && text.includes(marker)) return problem('data of another bot');
  if (status === 501 && operation.contract === 'mantago') return null;
  if (status >= 500 && !(status === 503 && busyCodes.test(text))) return problem(`status ${status}`);
  if (!isOperation)
    return otherStatuses.has(status) || Object.hasOwn(operation.answers, status)
      ? null
      : problem(`status ${status}`);
  if (!Object.hasOwn(operation.answers, status)) return problem(`undocumented status ${status}`);
  return bodyProblem(call, answer, problem);
}

function bodyProblem(
  { operation, method }: Call,
  { status, type, text }: Answer,
  problem: (kind: string, detail?: string) => Problem,
): Problem | null {
  const schema = operation.answers[status];
  if (method === 'HEAD' || status === 304 || status === 204)
    return text === '' ? null : problem(`status ${status} with a body`);
  if (!schema) return null;
  if (!type.includes('json')) return problem(`status ${status} of type ${type}`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return problem(`status ${status} without JSON`);
  }
  const difference = insightProblem(operation.id, status, body) ?? differenceOf(body, schema);
  return difference ? problem(`status ${status} breaks its schema: ${difference}`, text.slice(0, 300)) : null;
}

/** LINE answers invalid parameters of statistics per unit with four nulls, which its own document does not describe. */
function insightProblem(id: string, status: number, body: unknown): '' | null {
  const nulls = '{"message":null,"key":null,"stacktrace":null,"code":null}';
  return id === 'getStatisticsPerUnit' && status === 400 && JSON.stringify(body) === nulls ? '' : null;
}
