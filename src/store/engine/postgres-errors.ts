/** `40001` serialization_failure, `40P01` deadlock_detected. Source: PostgreSQL manual, appendix A. */
export const CONFLICT = new Set(['40001', '40P01']);

/** Errors of two servers that create the first schema at the same time: also unique_violation, duplicate_table and duplicate_object. */
export const CREATED_MEANWHILE = new Set([...CONFLICT, '23505', '42P07', '42710']);

/**
 * SQLSTATE classes and codes of errors that end the connection. They are connection_exception, operator_intervention by a shutdown or a
 * terminated backend, and the time limits of an idle session. The severity alone is not reliable, because the database translates it
 * (`lc_messages`).
 * Source: PostgreSQL manual, appendix A.
 */
const ENDS_CONNECTION = /^(?:08|57P|25P03|25P04)/;

/**
 * Reports whether the database answered a statement with this error, so that the transaction's state is known and the connection is usable.
 * All other errors are the connection's. After a timeout, for example, the statement may still run.
 */
export function isAnswer(error: unknown): error is { readonly code?: string } {
  const { severity, code } = (error ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return typeof severity === 'string' && severity !== 'FATAL' && severity !== 'PANIC' && !ENDS_CONNECTION.test(String(code));
}

/** Returns the SQLSTATE of an error with which the database answered, or `''`. */
export function codeOf(error: unknown): string {
  return isAnswer(error) ? (error.code ?? '') : '';
}
