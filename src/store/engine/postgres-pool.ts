import type { SqlValue } from '../sql.ts';

/** The part of `pg` that the engine uses. Tests also run the engine with another library, PGlite. */
export interface PostgresPool {
  query(query: PostgresQuery): Promise<PostgresRows>;
  connect(): Promise<PostgresConnection>;
  end(): Promise<void>;
}
export interface PostgresConnection {
  query(query: PostgresQuery): Promise<PostgresRows>;
  /** Returns the connection to the pool. Must be called once. If `broken` is true, the pool closes the connection. */
  release(broken: boolean): void;
}
export interface PostgresQuery {
  readonly text: string;
  readonly values?: SqlValue[];
  /** Name of the prepared statement. The same name must always have the same text. */
  readonly name?: string;
}
export interface PostgresRows {
  readonly rows: unknown[];
  readonly rowCount: number | null;
  /** First word of the command tag, such as `COMMIT`. PGlite does not report it. */
  readonly command?: string;
}
