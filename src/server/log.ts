/**
 * The log of a running server: lines on standard error, as text or as JSON. This module formats the lines, and limits how often the stack
 * of a bug is printed.
 */
import { HOUR_MS } from '#core/duration.ts';

/** Level of a log line. `info`: no action needed. `warning`: the server continues. `error`: a request or the server failed. */
export type LogLevel = 'info' | 'warning' | 'error';

/** Facts that a line of JSON has as members of its own. */
export interface LogFacts {
  readonly requestId?: string;
}

/** Writes a log line. A text line contains `facts` only as far as `line` does. */
export type Log = (line: string, level?: LogLevel, facts?: LogFacts) => void;

/** Format of the lines. */
export type LogFormat = 'text' | 'json';

/** Maximum length of a message, in UTF-16 code units. The rest of a longer message is not logged. */
export const MESSAGE_MAX = 16_384;

/** Control characters and line separators, except the line feed. Terminals and readers of logs give them a meaning. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Cuts a message that is too long. */
function bounded(line: string): string {
  return line.length > MESSAGE_MAX ? `${line.slice(0, MESSAGE_MAX)}… (${line.length - MESSAGE_MAX} more characters)` : line;
}

/**
 * Returns a line of the log.
 *
 *     logLine('sweep failed: …', 'warning', new Date(0))   → 'belfry: 1970-01-01T00:00:00.000Z warning sweep failed: …'
 *
 * Further lines are indented and control characters are replaced, so that a client's text in a message cannot look like another line.
 */
export function logLine(line: string, level: LogLevel, now: Date): string {
  const text = bounded(line)
    .replaceAll(/\r?\n[ \t]*/g, '\n    ')
    .replaceAll(CONTROLS, '?');
  return `belfry: ${now.toISOString()} ${level} ${text}`;
}

/** Writes a line of text to standard error. */
export const log: Log = (line, level = 'warning') => console.error(logLine(line, level, new Date()));

/** Names of the levels in JSON, by the levels of `pino`. */
const PINO_LEVELS = { info: 'info', warning: 'warn', error: 'error' } as const;

/**
 * Returns the log of a server. With `json`, each line is one object:
 *
 *     {"level":"error","time":"1970-01-01T00:00:00.000Z","requestId":"…","message":"request … failed: …"}
 *
 * Loads the library for JSON only if it is needed. `write` receives whole lines, and only tests replace it.
 */
export async function openLog(format: LogFormat, write = (line: string): unknown => process.stderr.write(line)): Promise<Log> {
  if (format === 'text') return log;
  const { pino, stdTimeFunctions } = await import('pino');
  const logger = pino(
    {
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
    },
    { write },
  );
  return (line, level = 'warning', facts = {}) =>
    logger[PINO_LEVELS[level]](facts, '%s', bounded(line).replaceAll(/\r\n/g, '\n').replaceAll(CONTROLS, '?'));
}

/** Time after which the stack of a bug is printed again. Log files may have been rotated by then. */
const STACK_EVERY_MS = HOUR_MS;
/** Number of stack frames that identify a bug: the innermost calls. The outer calls depend on the request. */
const FRAMES = 3;
/** Maximum number of bugs for which the time of the last printed stack is stored. */
const BUGS_MAX = 1_000;

/**
 * Returns a function that describes an error for the log. The first description of a bug in an hour contains the stack,
 * and later ones contain only the message. Two errors are one bug if they have the same name and the same innermost
 * functions.
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
