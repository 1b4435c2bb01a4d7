/**
 * Which entry of the audit log each command writes. A command that is missing here does not open the database.
 */
import { hostname, userInfo } from 'node:os';
import type { Scope } from '../audit/scope.ts';
import type { SubjectKind } from '../audit/subjects.ts';
import { findUserByName } from '../auth/users.ts';
import type { Transaction } from '../database/client.ts';

/**
 * `kind`: settings; `argument`: the position of the argument with the id, null: created by the command. `details`: an action, and the
 * names of the arguments and options that the log shows. `reason`: not audited.
 */
type Audit =
  | { kind: SubjectKind; argument: number | null; byName?: true }
  | { details: readonly string[] }
  | { reason: string };

const settings = (kind: SubjectKind, argument: number | null): Audit => ({ kind, argument });
/** Shows no platform ids of people: a deleted person leaves nothing in the log. */
const action = (...details: string[]): Audit => ({ details });
const reads: Audit = { reason: 'changes no data' };
const counts: Audit = { reason: 'stores figures of the platforms, or the same figures again' };
const simulated: Audit = { reason: 'fills a data folder for a demonstration' };

export const commandAudits: Readonly<Record<string, Audit>> = {
  serve: { reason: 'the server audits each call' },
  demo: simulated,
  'alerts list': reads,
  'alerts rules': reads,
  'alerts set': settings('alertRule', 1),
  'alerts targets': reads,
  'alerts add': action('kind'),
  'alerts remove': action('target'),
  'alerts test': action('target'),
  backup: action(),
  restore: { reason: 'replaces the database, with its log' },
  'bot create': settings('bot', null),
  'bot list': reads,
  'bot set': settings('bot', 0),
  'bot refresh-token': action(),
  'channel set': settings('channel', 1),
  'channel list': reads,
  'channel enable': settings('channel', 1),
  'channel disable': settings('channel', 1),
  'channel token create': settings('lineToken', null),
  'channel token list': reads,
  'channel token revoke': settings('lineToken', 2),
  'channel track-clicks': action('state'),
  'admin-token create': settings('adminToken', null),
  'admin-token list': reads,
  'admin-token revoke': settings('adminToken', 0),
  'audit list': reads,
  'audit export': reads,
  'user create': settings('user', null),
  'user list': reads,
  'user password': { kind: 'user', argument: 0, byName: true },
  'user remove': { kind: 'user', argument: 0, byName: true },
  'setup-link': action(),
  'key rotate': action('previousLost'),
  'collect run': counts,
  'collect status': reads,
  'contact forget': action('platform'),
  'deliveries list': reads,
  'deliveries show': reads,
  'deliveries replay': action('deliveries'),
  'job list': reads,
  'job run': { reason: 'continues a job, whose start is audited' },
  'job stop': action('job'),
  'callback set': settings('callback', 0),
  'callback show': reads,
  'callback rotate': settings('callback', 0),
  'callback remove': settings('callback', 0),
  'callback deliveries list': reads,
  'callback deliveries show': reads,
  'callback deliveries replay': action('messages'),
  recount: counts,
  reconcile: reads,
  'snapshot import': counts,
  'tag add': action('platform', 'tag'),
  'tag remove': action('platform', 'tag'),
  'tag import': action(),
  'platform-figures': reads,
  'points earn': action('platform', 'amount'),
  'points spend': action('platform', 'amount'),
  'points transfer': action('platform', 'amount'),
  'points adjust': action('platform', 'amount'),
  'points reverse': action('platform', 'entry'),
  'points clear': action('platform'),
  'points import': action(),
  'points balance': reads,
  'points history': reads,
  'points expiring': reads,
  'points audit': reads,
  'gift list': reads,
  'gift add': settings('gift', null),
  'gift grant': action('platform', 'gift'),
  'gift redeem': action('platform', 'grant'),
  'gift import': action(),
  'gift audit': reads,
  'send preview': reads,
  'send create': action('platform', 'name'),
  'send list': reads,
  'send templates': reads,
  'send show': reads,
  'send recipients': reads,
  'send pause': action('send'),
  'send resume': action('send'),
  'send stop': action('send'),
  export: reads,
  import: action('what'),
  'mail test': reads,
  mcp: { reason: 'reads from a running server' },
  'report list': reads,
  'report create': settings('mailReport', null),
  'report set': settings('mailReport', 0),
  'report pause': settings('mailReport', 0),
  'report resume': settings('mailReport', 0),
  'report preview': reads,
  'report send': action('report'),
  'report delete': settings('mailReport', 0),
  'mantago import': action(),
  'mantago status': reads,
  'mantago stop': action(),
  'mantago report': reads,
  'mantago compare': counts,
  'mantago disconnect': action(),
  'cluster distribute': action(),
  'cluster status': reads,
  'sandbox line': simulated,
  'sandbox meta': simulated,
  'sandbox all': simulated,
};

/** A command as it runs: its words, its arguments by name and its options. */
export type RunningCommand = {
  words: string;
  names: readonly string[];
  values: readonly unknown[];
  options: Readonly<Record<string, unknown>>;
};

/** The scope of a command; null: it is not audited. Throws an error without a declaration. */
export function commandScope({ words, names, values, options }: RunningCommand): Scope | null {
  const audit = commandAudits[words];
  if (!audit) throw new Error(`the command ${words} does not declare its entry in the audit log (audits.ts)`);
  if ('reason' in audit) return null;
  const named: Record<string, unknown> = {
    ...options,
    ...Object.fromEntries(names.map((name, index) => [name, values[index]])),
  };
  const textOf = (value: unknown) => (typeof value === 'string' ? value : null);
  const base = {
    ...{ origin: 'command' as const, address: null, operation: words, botId: textOf(named.bot) },
    actor: { kind: 'command' as const, id: null, name: `${userName()}@${hostname()}` },
  };
  if ('kind' in audit) {
    const id = audit.argument === null ? null : textOf(values[audit.argument]);
    if (!audit.byName || id === null) return { ...base, subject: { kind: audit.kind, id } };
    const findId = async (tx: Transaction) => (await findUserByName(tx, id)).userId;
    return { ...base, subject: { kind: audit.kind, id: null, findId } };
  }
  const shown = audit.details.filter((name) => named[name] !== undefined);
  const details = shown.length === 0 ? null : Object.fromEntries(shown.map((name) => [name, named[name]]));
  return { ...base, subject: { kind: null, id: null, details, isApart: true } };
}

/** An account without a name, as in some containers, has its number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
