/**
 * The statements over distributed tables that do not name one bot, each with its reason. On a cluster they go to every node, or, if
 * they read a tiny table of settings, to the nodes of its rows. A text is a part of the statement, in one line.
 */
export const manyBotStatements: readonly { statement: string; reason: string }[] = [
  { statement: 'from bots order by', reason: 'lists all bots' },
  { statement: 'from bots where bot_id > $1 order by bot_id limit', reason: 'reads all bots page by page' },
  { statement: 'from channels channel join ', reason: 'the collector looks for due questions of all bots' },
  {
    statement: "from channels where platform = '",
    reason: 'background work looks for channels of a platform',
  },
  {
    statement: 'from channels where channels.platform = any',
    reason: 'the profile calls look for channels with due contacts',
  },
  {
    statement: 'from channels where channel_id =',
    reason: 'a caller names the channel by its id, not its bot',
  },
  {
    statement: 'from channels join bots using (bot_id) where channel_id =',
    reason: 'a caller names the channel by its id, not its bot',
  },
  { statement: 'from line_tokens join bots', reason: 'a caller shows a token and names no bot' },
  { statement: 'from line_tokens where token_hash', reason: 'a caller shows a token and names no bot' },
  { statement: 'from line_links where code =', reason: 'a link in a message names no bot' },
  { statement: 'from sends where (state =', reason: 'the worker looks for due sends of all bots' },
  {
    statement: 'from sends where receipts_due_at',
    reason: 'background work looks for sends of all bots',
  },
  { statement: 'from channels where widget_key_hashes', reason: 'a widget names its key, not its bot' },
  {
    statement: 'array_remove(array[null::integer',
    reason: 'the purge looks at several bots at once; on a cluster at one',
  },
  {
    statement: "'stoppedKinds', coalesce(",
    reason: 'the check of alerts looks at several bots at once; on a cluster at one',
  },
  {
    statement: 'select distinct bot_id as "botId" from channels where bot_id = any',
    reason: 'the collector lists the bots of a command',
  },
  {
    statement: 'from channels left join line_friend_lists',
    reason: 'background work looks for friend lists to read',
  },
  {
    statement: "from mantago_imports where state = 'running'",
    reason: 'background work looks for imports to continue',
  },
  { statement: 'from mantago_watches order by next_at', reason: 'background work looks for due comparisons' },
];
