// Reporter of `npm test`. Prints each failure in full, then the counts, the duration, and the line `N passed, N failed`.
import { inspect } from 'node:util';

export default async function* summary(source) {
  let counts;
  let duration;
  for await (const event of source) {
    if (event.type === 'test:fail' && event.data.details?.error?.failureType !== 'subtestsFailed') {
      const { name, file, line, details } = event.data;
      const cause = details?.error?.cause ?? details?.error;
      yield `\nnot ok: ${name}\n  at ${file}:${line}\n${(cause?.stack ?? cause?.message ?? inspect(cause)).toString().replace(/^/gm, '  ')}\n`;
    }
    if (event.type === 'test:diagnostic' && event.data.level !== 'info') yield `note: ${event.data.message}\n`;
    if (event.type === 'test:summary' && event.data.file === undefined) {
      counts = event.data.counts;
      duration = event.data.duration_ms;
    }
  }
  if (counts)
    yield `\n\ntests ${counts.tests}, suites ${counts.suites}, cancelled ${counts.cancelled}, skipped ${counts.skipped}, todo ${counts.todo}\nduration ${inMinutes(duration)}\n${counts.passed} passed, ${counts.tests - counts.passed} failed\n`;
}

/** Formats milliseconds as `9 min 5 s`, or as `4.2 s` for less than a minute. */
function inMinutes(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
