/** Checks that SQL uses only features that SQLite and PostgreSQL both support with the same meaning. Decision 0007. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Excluded files: code for one engine, and tests. */
const OF_ONE_ENGINE =
  /(?:^|\/)(?:postgres|sqlite|sqlite-driver|read-only-postgres|group-commit|bus|sip\/proxy-folder)\.ts$|\.test\.ts$|(?:^|\/)conformance[a-z-]*\.ts$|\.conformance\.ts$/;

/** Matches a literal that is an SQL statement. */
const STATEMENT =
  /^\s*(?:SELECT\b[\s\S]*\b(?:FROM|\()|WITH\b[\s\S]*\bAS\b|INSERT\s+(?:OR\b|INTO\b)|REPLACE\s+INTO\b|UPDATE\b[\s\S]*\bSET\b|DELETE\s+FROM\b|CREATE\s+(?:TABLE|INDEX|UNIQUE)\b|ALTER\s+TABLE\b|DROP\s+(?:TABLE|INDEX)\b|NOTIFY\b|LISTEN\b)/;

// biome-ignore format: a table
const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/=\s*(?:ANY|ALL|SOME)\s*\(/i,                         '= ANY: SQLite has no lists; use one placeholder per value'],
  [/\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE|KEY)\b/i,    'FOR UPDATE: transactions are serializable, and SQLite has no row locks'],
  [/->|#>|@>|<@|\bjsonb?_\w+\s*\(|\bJSONB?\b/i,          'JSON operators: documents are stored as text'],
  [/::|\bCAST\s*\(/i,                                    'casts: the engines have different type names'],
  [/\b(?:TRUE|FALSE|BOOLEAN)\b/i,                        'booleans: use 0 and 1'],
  [/\bNOW\s*\(|\b(?:CURRENT_(?:TIMESTAMP|DATE|TIME)|TIMESTAMP|TIMESTAMPTZ|DATETIME|STRFTIME|JULIANDAY)\b/i, 'clocks and timestamps: pass an instant as a parameter in milliseconds'],
  [/\b(?:SERIAL|BIGSERIAL|AUTOINCREMENT|IDENTITY|NEXTVAL|SEQUENCE)\b(?!')/, 'engine-generated numbers: their order is not the commit order'],
  [/\bpg_\w+|\bsqlite_\w+|\bROWID\b|\bCTID\b/i,          'names of one engine'],
  [/\bILIKE\b|\bGLOB\b|\bSIMILAR\s+TO\b|\bREGEXP\b|~/i,  'patterns of one engine'],
  [/\b(?:INSTR|STRPOS|POSITION|IFNULL|NVL|ISNULL|PRINTF|FORMAT|IIF|GREATEST|LEAST|UNNEST|GENERATE_SERIES|TOTAL|GROUP_CONCAT|STRING_AGG|ARRAY_AGG)\s*\(/i, 'functions of one engine'],
  [/\bARRAY\s*\[/i,                                      'arrays: SQLite has none'],
  [/\bINSERT\s+OR\b|\bREPLACE\s+INTO\b/i,                'INSERT OR …: use ON CONFLICT'],
  [/\b(?:NOTIFY|LISTEN)\b/,                              'NOTIFY: it locks the cluster at commit, so do not use it in a request transaction'],
  [/^\s*WITH\b[\s\S]*\(\s*(?:INSERT|UPDATE|DELETE)\b/i,     'a WITH that changes data: SQLite does not support it'],
  [/\?/,                                                 '?: write a parameter as $1'],
  [/^(?:[^']|'[^']*')*'[^']*\$\d[^']*'/,                  '$1 inside a string: it would be replaced as a parameter'],
  [/\bLIKE\b(?![\s\S]*\bESCAPE\b)/i,                        'LIKE without ESCAPE: only PostgreSQL has a default escape character'],
  [/^\s*(?:CREATE|ALTER)\b[\s\S]*\b(?:TEXT|INTEGER|INT|BIGINT|BLOB|BYTEA|VARCHAR|REAL|NUMERIC|STRICT|WITHOUT)\b/, 'types of one engine: use the tokens of SCHEMA_TOKENS'],
  [/\b(?:SUM|AVG)\s*\((?![\s\S]*\bAS\b)/i,                  'SUM without a name: name it and wrap it in Number(), because PostgreSQL returns a string'],
];

/** Returns the string and template literals of a source file. Replaces interpolations with `…`. */
export function literalsOf(source: string): string[] {
  const literals: string[] = [];
  let at = 0;

  /** Reads code to the end, or to the brace that closes an interpolation. */
  function code(until: '}' | undefined): void {
    let depth = 0;
    while (at < source.length) {
      const two = source.slice(at, at + 2);
      const one = source[at] as string;
      if (two === '//') at = endOf('\n');
      else if (two === '/*') at = endOf('*/') + 1;
      else if (one === "'" || one === '"') quoted(one);
      else if (one === '`') template();
      else if (one === '/' && /[(,=:[!&|?{};]\s*$/.test(source.slice(Math.max(0, at - 20), at)))
        at = (/^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+\//.exec(source.slice(at))?.[0].length ?? 1) + at;
      else {
        if (one === '{') depth++;
        if (one === '}' && depth-- === 0 && until === '}') return;
        at++;
      }
    }
  }
  function endOf(text: string): number {
    const found = source.indexOf(text, at);
    return found < 0 ? source.length : found + 1;
  }
  function quoted(quote: string): void {
    const from = ++at;
    while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
    literals.push(source.slice(from, at++));
  }
  function template(): void {
    let text = '';
    at++;
    while (at < source.length && source[at] !== '`') {
      if (source.startsWith('${', at)) {
        at += 2;
        code('}');
        at++;
        text += '…';
      } else if (source[at] === '\\') {
        text += source.slice(at, at + 2);
        at += 2;
      } else text += source[at++];
    }
    at++;
    literals.push(text);
  }
  code(undefined);
  return literals;
}

/** Returns the problems of one literal. Returns an empty list if it is not an SQL statement. */
export function findingsIn(literal: string): string[] {
  if (!STATEMENT.test(literal)) return [];
  const findings = FORBIDDEN.filter(([pattern]) => pattern.test(literal)).map(([, why]) => why);
  const numbers = new Set([...literal.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  const most = Math.max(0, ...numbers);
  if (numbers.size !== most && !literal.includes('…'))
    findings.push(`parameters up to $${most}, but only ${numbers.size} of them are used`);
  return findings;
}

if (import.meta.main) {
  const wrong: string[] = [];
  let statements = 0;
  for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !path.endsWith('.ts') || OF_ONE_ENGINE.test(path) || path.includes('generated')) continue;
    for (const literal of literalsOf(readFileSync(path, 'utf8'))) {
      if (STATEMENT.test(literal)) statements++;
      for (const finding of findingsIn(literal)) wrong.push(`${path}: ${finding}\n    ${literal.trim().split('\n')[0]}`);
    }
  }
  if (statements === 0) wrong.push('found no SQL statement: the reader of literals is broken');
  if (wrong.length > 0) {
    console.error(wrong.join('\n'));
    process.exit(1);
  }
  console.log(`${statements} SQL statements`);
}
