/**
 * The tests that `npm run test:cluster` leaves out, each with its reason. `test` is the begin of the test's name; without it, the whole
 * file is left out.
 */
export const clusterExceptions: readonly { file: string; test?: string; reason: string }[] = [
  {
    file: 'src/events/store.test.ts',
    test: '1,000 keys are looked up in the index and none is filtered',
    reason: 'reads the plan of plain PostgreSQL; on Citus the plan of a shard is nested in another one',
  },
  {
    file: 'src/alerts/alerts.test.ts',
    test: 'a check of 1,100 quiet bots takes a few statements',
    reason: 'counts statements for many bots; on a cluster each bot has one',
  },
  {
    file: 'src/backup/backup.test.ts',
    reason: 'shoal backup is for the embedded database',
  },
  {
    file: 'tests/properties/fold-many-bots.test.ts',
    reason: 'folds batches of several bots; on a cluster a batch has one',
  },
  {
    file: 'tests/properties/fold-together.test.ts',
    reason: 'folds batches of several bots; on a cluster a batch has one',
  },
  {
    file: 'src/ingest/worker.test.ts',
    test: 'a bot that keeps failing is folded alone',
    reason: 'counts the halves of a batch of many bots; on a cluster a batch has one',
  },
  {
    file: 'tests/contract/mantago-clients.test.ts',
    test: 'profile and rewards reject a missing or unknown client',
    reason: 'moves a contact to another bot by an update, which Citus refuses',
  },
  {
    file: 'src/server/purge.test.ts',
    test: 'of many bots',
    reason: 'counts the statements for several bots at once; on a cluster each bot has its own',
  },
  {
    file: 'src/points/bulk.test.ts',
    test: 'a bulk whose first lines cannot be written fails for its caller alone',
    reason: 'makes a write fail by a trigger, which Citus does not support',
  },
  {
    file: 'src/server/open-database.test.ts',
    test: 'a missing database and a wrong password are refused',
    reason: 'needs a server that checks passwords, whose address Citus also uses to reach its own shards',
  },
];
