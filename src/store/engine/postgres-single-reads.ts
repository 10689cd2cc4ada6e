import { lruMap } from '#core/lru-map.ts';

/** Maximum number of transaction names that are remembered. A new name replaces the least recently used one. */
const NAMES_MAX = 1_000;

/**
 * A single read is a run with exactly one statement, a SELECT without effects. After a run that is not a single read,
 * `expects` returns false for the transaction's name until this many successive runs are single reads.
 */
const RUNS_UNTIL_RETRIED = 16;

/** Maximum number of SQL strings for which the result of `isPlainRead` is cached. */
const TEXTS_MAX = 1_000;

/**
 * Predicts, by the name of a transaction, whether its next run is a single read: exactly one statement, which is a
 * SELECT without effects. Decision 0021.
 */
export interface SingleReads {
  /** Reports whether the next transaction of this name will probably be a single read. */
  expects(name: string): boolean;
  /**
   * Records whether a run was a single read. If the first run of a new name was a single read, the next run is expected
   * to be one too. After a run that was not a single read, `expects` returns true only after 16 successive single
   * reads. So work that alternates between one read and more reads rarely has to run twice.
   */
  learn(name: string, hadSingleRead: boolean): void;
}

export function singleReads(): SingleReads {
  /** Number of further successive single reads, by name, until `expects` returns true for the name. */
  const missing = lruMap<string, number>(NAMES_MAX);
  return {
    expects: (name) => missing.get(name) === 0,
    learn(name, hadSingleRead) {
      missing.set(name, hadSingleRead ? Math.max(0, (missing.get(name) ?? 1) - 1) : RUNS_UNTIL_RETRIED);
    },
  };
}

/** Words that can precede a parenthesis in a plain read: syntax, and functions without effects. */
const BEFORE_PARENTHESIS = new Set(
  'ALL AND AS BY CASE COALESCE COUNT ELSE EXISTS FROM IN JOIN LENGTH LIMIT LOWER MAX MIN NOT ON OR SELECT SUBSTR SUM THEN UNION UPPER VALUES WHEN WHERE'.split(
    ' ',
  ),
);

/** Words of a SELECT that locks rows or creates a table. */
const NOT_PLAIN = new Set(['FOR', 'INTO']);

const plain = lruMap<string, boolean>(TEXTS_MAX);

/**
 * Reports whether a statement is provably a single SELECT without effects: no locks, no new table, no unknown function.
 * If the result is false, the statement may still have no effects. Then the only cost is a BEGIN.
 */
export function isPlainRead(text: string): boolean {
  let known = plain.get(text);
  if (known === undefined) plain.set(text, (known = parsePlainRead(text)));
  return known;
}

function parsePlainRead(text: string): boolean {
  // Without backslashes, a string ends at its next quote. A string with a doubled quote matches as two strings.
  const code = text.replace(/'[^'\\]*'/g, ' 0 ');
  // The first check rejects characters that quoted names, comments, casts and second statements need. The other checks
  // reject comments that begin with `--`, and strings in dollar signs.
  if (!/^\s*SELECT\b[\w\s$.,*()=<>!|+-]*$/i.test(code) || code.includes('--') || /\$(?!\d+(?![\w$]))/.test(code)) return false;
  const words = code.toUpperCase().match(/[A-Z_]\w*/g) ?? [];
  const called = code.toUpperCase().match(/[A-Z_]\w*(?=\s*\()/g) ?? [];
  return !words.some((word) => NOT_PLAIN.has(word)) && called.every((word) => BEFORE_PARENTHESIS.has(word));
}
