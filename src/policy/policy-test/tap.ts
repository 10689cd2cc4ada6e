import type { PolicyTestReport, StatementCoverage } from './run.ts';

/**
 * Formats a report in the Test Anything Protocol, version 14: one test point for each request, and one for the coverage.
 * If the report has problems, there is one failed test point for each problem instead.
 *
 * The lines have no line terminator. `first` is the number of the first test point, so that several files form one stream.
 */
export function tapLines(fileName: string, report: PolicyTestReport, first: number): readonly string[] {
  const lines = [`# ${fileName}: ${oneLine(report.title)}`];
  let number = first;
  for (const problem of report.problems) lines.push(`not ok ${number++} - ${oneLine(problem)}`);
  for (const { title, passed, expected, actual } of report.requests) {
    lines.push(`${passed ? 'ok' : 'not ok'} ${number++} - ${oneLine(title)}`);
    if (!passed) lines.push('  ---', `  expected: ${JSON.stringify(expected)}`, `  actual: ${JSON.stringify(actual)}`, '  ...');
  }
  if (report.problems.length > 0) return lines;
  const never = report.coverage.filter(({ decided }) => decided === 0);
  const failed = !report.passed && report.requests.every(({ passed }) => passed);
  const total = report.coverage.length;
  lines.push(`${failed ? 'not ok' : 'ok'} ${number} - ${total - never.length} of ${total} statements decided a request`);
  for (const statement of never) lines.push(`# never decided: ${nameOf(statement)}`);
  return lines;
}

/** Returns the number of test points in a report. */
export function tapPoints({ problems, requests }: PolicyTestReport): number {
  return problems.length > 0 ? problems.length : requests.length + 1;
}

function nameOf({ policy, statement, sid }: StatementCoverage): string {
  return `${policy}#${statement}${sid === undefined ? '' : ` (${sid})`}`;
}

/** Replaces line breaks and escapes `#`, so that a title cannot add lines or directives to the stream. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replaceAll('#', '\\#');
}
