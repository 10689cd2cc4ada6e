import { lruMap } from '#core/lru-map.ts';

/** Maximum number of names that are remembered. The least recently used one is forgotten. */
const NAMES_MAX = 1_000;

/** Number of runs with a single read, without another run between them, after which a name is tried again. */
const RUNS_UNTIL_RETRIED = 16;

/** Maximum number of statements whose kind is remembered. */
const TEXTS_MAX = 1_000;

/** Names of work whose last runs had one statement, a plain read. Decision 0021. */
export interface SingleReads {
  /** Reports whether the next run of this work will probably have a single read. */
  expects(name: string): boolean;
  /**
   * Learns from a run. A new name is expected to have a single read after its first such run. After any other run, it needs 16 in sequence,
   * so work that alternates rarely runs twice.
   */
  learn(name: string, hadSingleRead: boolean): void;
}

export function singleReads(): SingleReads {
  /** Number of runs with a single read that a name still needs. */
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
 * `false` proves nothing, and only costs a BEGIN.
 */
export function isPlainRead(text: string): boolean {
  let known = plain.get(text);
  if (known === undefined) plain.set(text, (known = parsePlainRead(text)));
  return known;
}

function parsePlainRead(text: string): boolean {
  // Without backslashes, a string ends at its next quote. Two quotes in sequence read as two strings.
  const code = text.replace(/'[^'\\]*'/g, ' 0 ');
  // Quoted names, comments, casts and second statements need other characters, or these in sequence.
  if (!/^\s*SELECT\b[\w\s$.,*()=<>!|+-]*$/i.test(code) || code.includes('--') || /\$(?!\d+(?![\w$]))/.test(code)) return false;
  const words = code.toUpperCase().match(/[A-Z_]\w*/g) ?? [];
  const called = code.toUpperCase().match(/[A-Z_]\w*(?=\s*\()/g) ?? [];
  return !words.some((word) => NOT_PLAIN.has(word)) && called.every((word) => BEFORE_PARENTHESIS.has(word));
}
