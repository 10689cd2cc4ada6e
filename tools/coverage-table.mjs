// Reporter of `npm run coverage`. Prints each failed test, then a table: one row per file, the least covered first, and the total.
import { relative } from 'node:path';

const percent = (value) => value.toFixed(1).padStart(8);
const row = (lines, branches, functions, name) => `${percent(lines)} ${percent(branches)} ${percent(functions)}  ${name}\n`;

export default async function* coverageTable(source) {
  for await (const { type, data } of source) {
    if (type === 'test:fail' && data.details?.error?.failureType !== 'subtestsFailed')
      yield `not ok: ${data.name} (${data.file}:${data.line})\n`;
    if (type !== 'test:coverage') continue;
    const { files, totals, workingDirectory } = data.summary;
    yield `${'lines %'.padStart(8)} ${'branch %'.padStart(8)} ${'func %'.padStart(8)}  file\n`;
    for (const file of files.toSorted((a, b) => a.coveredLinePercent - b.coveredLinePercent || a.path.localeCompare(b.path)))
      yield row(file.coveredLinePercent, file.coveredBranchPercent, file.coveredFunctionPercent, relative(workingDirectory, file.path));
    yield row(totals.coveredLinePercent, totals.coveredBranchPercent, totals.coveredFunctionPercent, `all ${files.length} loaded files`);
  }
}
