/**
 * The one PostgreSQL client. SQL is written in tagged templates beside its domain; this file only opens connections.
 */
import postgres from 'postgres';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;
/** What a query needs: a pool, or a transaction of it. */
export type Queryable = Sql | Transaction;
