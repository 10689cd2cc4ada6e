/** `40001` serialization_failure, `40P01` deadlock_detected. Source: PostgreSQL manual, appendix A. */
export const CONFLICT = new Set(['40001', '40P01']);

/** `23505` unique_violation. */
export const UNIQUE = '23505';

/**
 * SQLSTATE codes that can occur if two servers create the first schema at the same time: the codes of `CONFLICT`,
 * `UNIQUE`, `42P07` duplicate_table and `42710` duplicate_object.
 */
export const CREATED_MEANWHILE = new Set([...CONFLICT, UNIQUE, '42P07', '42710']);

/**
 * SQLSTATE classes and codes of errors that end the connection: connection_exception, operator_intervention by a
 * shutdown or a terminated backend, and the time limits of an idle session. The severity alone is not reliable, because
 * the database translates it (`lc_messages`).
 * Source: PostgreSQL manual, appendix A.
 */
const ENDS_CONNECTION = /^(?:08|57P|25P03|25P04)/;

/**
 * Reports whether an error is the database's answer to a statement. Then the transaction's state is known and the
 * connection is usable.
 * All other errors are errors of the connection. After a timeout, for example, the statement may still run.
 */
export function isAnswer(error: unknown): error is { readonly code?: string } {
  const { severity, code } = (error ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return typeof severity === 'string' && severity !== 'FATAL' && severity !== 'PANIC' && !ENDS_CONNECTION.test(String(code));
}

/**
 * Returns the SQLSTATE code of an error that is the database's answer to a statement. Returns `''` for other errors.
 */
export function codeOf(error: unknown): string {
  return isAnswer(error) ? (error.code ?? '') : '';
}

/**
 * SQLSTATE codes of a database that cannot store a change: `53100` disk_full, `58030` io_error, `25006`
 * read_only_sql_transaction, and `42501` insufficient_privilege. PostgreSQL also uses `42501` for a file system that is
 * read-only. Source: PostgreSQL manual, appendix A; `errcode_for_file_access` in PostgreSQL.
 */
const UNWRITABLE = new Set(['53100', '58030', '25006', '42501']);

/** Reports whether an error is the database's answer that it cannot store a change. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.has(codeOf(error));
}
