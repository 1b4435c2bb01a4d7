/**
 * Which entry of the audit log each changing operation writes. The server does not start with a changing operation that is missing here.
 */
import type { operations } from '../../../contracts/types/management.ts';
import type { Actor, Scope } from '../../audit/scope.ts';
import type { SubjectKind } from '../../audit/subjects.ts';
import type { Caller } from '../../auth/caller.ts';
import { isObject, type JsonObject } from '../../json.ts';

/**
 * `kind` and `param`: settings, and the path parameter with the id; null: created by the operation. `details`: an action without stored
 * settings, and the members of its body that the log shows. `reason`: not audited.
 */
type Audit =
  | { kind: SubjectKind; param: string | null }
  | { details: readonly string[]; isApart?: true }
  | { reason: string };

const settings = (kind: SubjectKind, param: string | null): Audit => ({ kind, param });
/** An action. The members must not name people: a deleted person leaves nothing in the log but an id. */
const action = (...details: string[]): Audit => ({ details });
/** An action with several transactions, or one that it shares with other calls. */
const apart = (...details: string[]): Audit => ({ details, isApart: true });
const chat: Audit = { reason: 'the chat itself is the history' };
const ledger: Audit = {
  reason: 'programs do it thousands of times a day, and the ledger of points is the history',
};

const audits: { [I in keyof operations]?: Audit } = {
  updateAlertRule: settings('alertRule', 'rule'),
  createAlertTarget: action('kind', 'language'),
  removeAlertTarget: action(),
  testAlertTarget: action(),
  createBot: settings('bot', null),
  updateBot: settings('bot', 'botId'),
  renewApiPair: action(),
  setChannel: settings('channel', 'platform'),
  enableChannel: settings('channel', 'platform'),
  disableChannel: settings('channel', 'platform'),
  createLineToken: settings('lineToken', null),
  revokeLineToken: settings('lineToken', 'lineTokenId'),
  createAnnotation: action('day'),
  deleteAnnotation: action(),
  updateContact: action(),
  forgetContact: action(),
  setCustomer: action(),
  removeCustomer: action(),
  blockContact: action(),
  unblockContact: action(),
  reportSendFailure: { reason: 'a report of an event, which the events of the contact show' },
  sendChatMessage: chat,
  sendChatImage: chat,
  seeChat: chat,
  closeChat: chat,
  openChat: chat,
  assignChat: chat,
  addChatNote: chat,
  removeChatNote: { reason: 'a note names people, and a deleted person leaves nothing in the log' },
  createTag: settings('tag', null),
  switchLifeCycles: action('active'),
  updateTag: settings('tag', 'tagId'),
  deleteTag: settings('tag', 'tagId'),
  assignTag: action(),
  unassignTag: action(),
  earnPoints: ledger,
  spendPoints: ledger,
  earnManyPoints: ledger,
  transferPoints: apart('amount', 'toContactId'),
  adjustPoints: apart('amount'),
  reversePoints: apart('entryId'),
  clearPoints: apart(),
  replaySetAside: action(),
  replayDelivery: action(),
  createSend: action('name', 'platform'),
  previewSend: { reason: 'changes nothing' },
  pauseSend: action(),
  resumeSend: action(),
  stopSend: action(),
  createMessageTemplate: settings('template', null),
  replaceMessageTemplate: settings('template', 'templateId'),
  deleteMessageTemplate: settings('template', 'templateId'),
  createGift: settings('gift', null),
  updateGift: settings('gift', 'giftId'),
  grantGift: action('giftId'),
  redeemGift: action(),
  stopJob: action(),
  setCallback: settings('callback', 'botId'),
  removeCallback: settings('callback', 'botId'),
  rotateCallbackSecret: settings('callback', 'botId'),
  replayGivenUp: action(),
  replayNotice: action(),
  startMantagoImport: action('address', 'theirBotId', 'callsPerMinute'),
  stopMantagoImport: action(),
  setMantagoWatch: action('tolerance', 'sample'),
  removeMantagoWatch: action(),
  createMailReport: settings('mailReport', null),
  replaceMailReport: settings('mailReport', 'reportId'),
  deleteMailReport: settings('mailReport', 'reportId'),
  sendMailReport: apart(),
  createAdminToken: settings('adminToken', null),
  revokeAdminToken: settings('adminToken', 'tokenId'),
  createSession: apart(),
  deleteSession: apart(),
  acceptInvitation: settings('user', null),
  createInvitation: settings('invitation', null),
  removeInvitation: settings('invitation', 'invitationId'),
  createFirstUser: settings('user', null),
  endOwnSession: action(),
  endOtherSessions: action(),
  updateOwnAccount: { kind: 'user', param: null },
  changeOwnPassword: { kind: 'user', param: null },
  createUser: settings('user', null),
  updateUser: settings('user', 'userId'),
  removeUser: settings('user', 'userId'),
  importData: apart(),
  collectNow: action(),
  recountFigures: apart('check'),
  auditPoints: { reason: 'changes nothing' },
};

/** Parameters that are not the id of what an action changes. */
const notIds: ReadonlySet<string> = new Set(['botId', 'platform', 'what']);

/** The declared audit of a changing operation; null: it is not audited. Throws an error without a declaration. */
export function auditOf({
  id,
  method,
}: {
  id: string;
  method: string;
}): Exclude<Audit, { reason: string }> | null {
  if (method === 'GET') return null;
  const audit = (audits as Record<string, Audit | undefined>)[id];
  if (!audit)
    throw new Error(`${id} changes data and does not declare its entry in the audit log (audits.ts)`);
  return 'reason' in audit ? null : audit;
}

/** The scope of a call. A caller changes only itself in an operation on its own account. */
export function auditScopeOf(
  audit: Exclude<Audit, { reason: string }>,
  {
    operation,
    caller,
    address,
    params,
    body,
  }: { operation: string; caller: Caller | null; address: string; params: JsonObject; body: JsonObject },
): Scope {
  const textOf = (name: string) => (typeof params[name] === 'string' ? params[name] : null);
  const base = {
    ...{ operation, address, botId: textOf('botId') },
    origin: caller?.session || caller === null ? ('dashboard' as const) : ('api' as const),
    actor: caller
      ? { kind: caller.kind, id: caller.id, name: caller.name }
      : { kind: 'link' as const, id: null, name: '' },
  };
  if ('kind' in audit) {
    const id = audit.param === null ? null : textOf(audit.param);
    const own = operation.includes('Own') && caller ? caller.id : null;
    return { ...base, subject: { kind: audit.kind, id: id ?? own } };
  }
  const name = Object.keys(params).findLast((param) => !notIds.has(param));
  const details = audit.details.flatMap((member) =>
    body[member] === undefined ? [] : [[member, body[member]]],
  );
  for (const param of ['platform', 'what'])
    if (params[param] !== undefined) details.push([param, params[param]]);
  return {
    ...base,
    subject: {
      ...{ kind: null, id: name === undefined ? null : textOf(name), isApart: audit.isApart ?? false },
      details: details.length === 0 ? null : Object.fromEntries(details),
    },
  };
}

/** The actor of a call that signs in, by its answer; null: the answer is none of a session. */
export function signedInActor(answer: unknown): Actor | null {
  if (!isObject(answer) || !isObject(answer.user)) return null;
  const { kind, id, name } = answer.user;
  return { kind: kind === 'token' ? 'token' : 'user', id: String(id), name: String(name) };
}
