import assert from 'node:assert/strict';

/** Returns the lines of a list that a command printed, as objects with the names of the columns. Values are never empty. */
export function listed(stdout: string): readonly Readonly<Record<string, string>>[] {
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const columns = header.split(/ {2,}/);
  assert.match(header, /^[A-Z]/, stdout);
  return lines.map((line) => {
    const values = line.split(/ {2,}/);
    assert.equal(values.length, columns.length, stdout);
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? '']));
  });
}
