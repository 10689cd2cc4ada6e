// Reporter of `npm test`. Prints each failure in full, then the counts, and the line `N passed, N failed`.
import { inspect } from 'node:util';

export default async function* summary(source) {
  let counts;
  for await (const event of source) {
    if (event.type === 'test:fail' && event.data.details?.error?.failureType !== 'subtestsFailed') {
      const { name, file, line, details } = event.data;
      const cause = details?.error?.cause ?? details?.error;
      yield `\nnot ok: ${name}\n  at ${file}:${line}\n${(cause?.stack ?? cause?.message ?? inspect(cause)).toString().replace(/^/gm, '  ')}\n`;
    }
    if (event.type === 'test:diagnostic' && event.data.level !== 'info') yield `note: ${event.data.message}\n`;
    if (event.type === 'test:summary' && event.data.file === undefined) counts = event.data.counts;
  }
  if (counts)
    yield `\n\ntests ${counts.tests}, suites ${counts.suites}, cancelled ${counts.cancelled}, skipped ${counts.skipped}, todo ${counts.todo}\n${counts.passed} passed, ${counts.tests - counts.passed} failed\n`;
}
