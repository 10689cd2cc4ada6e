/** The form of all lists: a line with the names of the columns, and a line for each item. Two or more spaces separate the columns. */

const GAP = '  ';
const NO_VALUE = '-';

/**
 * Prints the names of the columns, and returns a function that prints some items. A list of many items is printed in several calls. A column is
 * as wide as its longest value in the first call. An empty value is `-`.
 *
 *     ACCOUNT ID    NAME
 *     111122223333  Belfry
 */
export function listPrinter(...columns: readonly string[]): (rows: readonly (readonly string[])[]) => void {
  let widths: readonly number[] | undefined;
  return (rows) => {
    // A name or a subject must not control the terminal, or look like another line.
    const lines = rows.map((row) => columns.map((_, i) => row[i]?.replace(/\p{Cc}/gu, '?') || NO_VALUE));
    if (widths === undefined) {
      widths = columns.map((column, i) => lines.reduce((width, line) => Math.max(width, line[i]?.length ?? 0), column.length));
      printLine(columns, widths);
    }
    for (const line of lines) printLine(line, widths);
  };
}

/** Prints a list whose items are all present. */
export function printList(columns: readonly string[], rows: readonly (readonly string[])[]): void {
  listPrinter(...columns)(rows);
}

function printLine(cells: readonly string[], widths: readonly number[]): void {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}
