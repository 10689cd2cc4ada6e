/** Files that commands import: CSV with a header (RFC 4180). */

/** One line of a file: its number, and its fields by the name of their column. */
export interface FileRow {
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** Line that cannot be read or imported. */
export interface FileProblem {
  readonly line: number;
  readonly problem: string;
}

/**
 * Reads a CSV file. Ignores empty lines and spaces around fields. A quoted field can have commas, but no line break.
 *
 * @throws Error  a column is unknown, a required one is missing, or a line has too many fields or an open quote
 */
export function readRows(text: string, columns: readonly string[], required: readonly string[]): readonly FileRow[] {
  const { rows, problems } = readLines(text, columns, required);
  const [first] = problems;
  if (first !== undefined) throw new Error(`line ${first.line} ${first.problem}`);
  return rows;
}

/**
 * Reads a CSV file, as `readRows` does. A line with too many fields or an open quote is in `problems`.
 *
 * @throws Error  the header has an open quote, a column is unknown, or a required one is missing
 */
export function readLines(
  text: string,
  columns: readonly string[],
  required: readonly string[],
): { readonly rows: readonly FileRow[]; readonly problems: readonly FileProblem[] } {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const [header, ...rest] = lines.map((line, i) => ({ line: i + 1, text: line })).filter((each) => each.text.trim() !== '');
  if (header === undefined) throw new Error('the file is empty');
  const names = fieldsOf(header.text);
  if (names === undefined) throw new Error(`line ${header.line} ${OPEN_QUOTE}`);
  const unknown = names.find((name, i) => !columns.includes(name) || names.indexOf(name) !== i);
  if (unknown !== undefined) throw new Error(`unknown or repeated column '${unknown}' (columns: ${columns.join(', ')})`);
  const missing = required.find((name) => !names.includes(name));
  if (missing !== undefined) throw new Error(`missing column '${missing}' (columns: ${columns.join(', ')})`);
  const rows: FileRow[] = [];
  const problems: FileProblem[] = [];
  for (const { line, text: row } of rest) {
    const fields = fieldsOf(row);
    if (fields === undefined) problems.push({ line, problem: OPEN_QUOTE });
    else if (fields.length > names.length)
      problems.push({ line, problem: `has ${fields.length} fields, but the header has ${names.length}` });
    else rows.push({ line, fields: Object.fromEntries(fields.map((field, i) => [names[i], field])) });
  }
  return { rows, problems };
}

const OPEN_QUOTE = 'has an open quote';

/** Returns the fields of a line. Undefined if a quote is open at its end. */
function fieldsOf(text: string): readonly string[] | undefined {
  const fields: string[] = [];
  let [field, isQuoted] = ['', false];
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (isQuoted && character === '"' && text[i + 1] === '"') field += text[++i];
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted) {
      fields.push(field.trim());
      field = '';
    } else field += character;
  }
  if (isQuoted) return undefined;
  return [...fields, field.trim()];
}
