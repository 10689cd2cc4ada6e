import type { PolicyTestReport, StatementCoverage } from './run.ts';

/**
 * A report in the Test Anything Protocol, version 14: one point for each request, and one for the coverage.
 * Lines end in LF; the numbering starts at `first` so that several files make one stream.
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

/** How many points a report has. */
export function tapPoints({ problems, requests }: PolicyTestReport): number {
  return problems.length > 0 ? problems.length : requests.length + 1;
}

function nameOf({ policy, statement, sid }: StatementCoverage): string {
  return `${policy}#${statement}${sid === undefined ? '' : ` (${sid})`}`;
}

/** A title cannot break the stream: line ends and the directive sign are taken out of it. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replaceAll('#', '\\#');
}
