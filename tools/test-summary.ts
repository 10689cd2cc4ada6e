// Reporter of `npm test`. Prints each failure in full, then the slowest files, the counts, the duration, and the line `N passed, N failed`.
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** Number of files in the list of the slowest ones. */
const SLOWEST = 15;

type Summary = Extract<TestEvent, { type: 'test:summary' }>['data'];

export async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let whole: Summary | undefined;
  const files: Summary[] = [];
  for await (const event of source) {
    if (event.type === 'test:fail') {
      const { name, file, line, details } = event.data;
      const error = details.error as Error & { readonly failureType?: string };
      if (error.failureType === 'subtestsFailed') continue;
      const cause = (error.cause ?? error) as Partial<Error>;
      yield `\nnot ok: ${name}\n  at ${file}:${line}\n${(cause.stack ?? cause.message ?? inspect(cause)).replace(/^/gm, '  ')}\n`;
    }
    if (event.type === 'test:diagnostic' && event.data.level !== 'info') yield `note: ${event.data.message}\n`;
    if (event.type === 'test:summary') {
      if (event.data.file === undefined) whole = event.data;
      else files.push(event.data);
    }
  }
  if (files.length > SLOWEST) {
    files.sort((a, b) => b.duration_ms - a.duration_ms);
    const lines = files.slice(0, SLOWEST).map((each) => `  ${inMinutes(each.duration_ms).padEnd(14)} ${relative('.', each.file ?? '')}`);
    yield `\n\nslowest files:\n${lines.join('\n')}`;
  }
  if (whole === undefined) return;
  const { counts, duration_ms } = whole;
  yield `\n\ntests ${counts.tests}, suites ${counts.suites}, cancelled ${counts.cancelled}, skipped ${counts.skipped}, todo ${counts.todo}\nduration ${inMinutes(duration_ms)}\n${counts.passed} passed, ${counts.tests - counts.passed} failed\n`;
}

/** Formats milliseconds as `9 min 5 s`, or as `4.2 s` for less than a minute. */
function inMinutes(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
