/** The log of a running server: lines on standard error. Owns their format, and the limit on printed stacks. */

/** Level of a log line. `info`: no action needed. `warning`: the server continues. `error`: a request or the server failed. */
export type LogLevel = 'info' | 'warning' | 'error';

/** Writes a log line. */
export type Log = (line: string, level?: LogLevel) => void;

/**
 * Returns a line of the log.
 *
 *     logLine('sweep failed: …', 'warning', new Date(0))   → 'belfry: 1970-01-01T00:00:00.000Z warning sweep failed: …'
 *
 * Further lines are indented and control characters are replaced, so that a client's text in a message cannot look like another line.
 */
export function logLine(line: string, level: LogLevel, now: Date): string {
  const text = line.replaceAll(/\r?\n[ \t]*/g, '\n    ').replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f]/g, '?');
  return `belfry: ${now.toISOString()} ${level} ${text}`;
}

/** Writes a line to standard error. */
export const log: Log = (line, level = 'warning') => console.error(logLine(line, level, new Date()));

/** Time after which the stack of a bug is printed again. Log files may have been rotated by then. */
const STACK_EVERY_MS = 3_600_000;
/** Number of innermost functions in a stack that distinguish bugs. The outer functions depend on the request. */
const FRAMES = 3;
/** Maximum number of bugs for which the time of the last printed stack is stored. */
const BUGS_MAX = 1_000;

/**
 * Returns a function that describes an error for the log: with its stack the first time in an hour, later only its message. Two errors
 * are one bug if they have the same name and the same innermost functions.
 */
export function bugReports(now: () => number): (error: unknown) => string {
  const printed = new Map<string, number>();
  return (error) => {
    const { stack, message } = error as Partial<Error>;
    if (stack === undefined) return String(error);
    const frames = stack.split('\n    at ').slice(1, 1 + FRAMES);
    const bug = [(error as Error).name, ...(frames.length === 0 ? [stack] : frames)].join('\n');
    const last = printed.get(bug);
    if (last !== undefined && now() - last < STACK_EVERY_MS) return `${(error as Error).name}: ${message} (the stack is above)`;
    printed.delete(bug);
    printed.set(bug, now());
    const [oldest] = printed.keys();
    if (printed.size > BUGS_MAX && oldest !== undefined) printed.delete(oldest);
    return stack;
  };
}

/** Describes an error, with its stack the first time in an hour. */
export const describeBug = bugReports(Date.now);
