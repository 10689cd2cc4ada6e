import { JsonProblem } from './json-problem.ts';
import type { JsonReader } from './json-reader.ts';
import { sourceLocation } from './source-location.ts';

/** Invalid event pattern. `message` is AWS's message for it, which operations return as InvalidEventPatternException. */
export class PatternProblem extends Error {
  constructor(reason: string) {
    super(`Event pattern is not valid. Reason: ${reason}`);
    this.name = 'PatternProblem';
  }
}

/** Reason whose text is complete: AWS prints no location, or the text has one already. */
export class TextProblem extends Error {}

/** Throws a problem of the pattern at the current place of the reader. */
export function fail(reader: JsonReader, reason: string): never {
  throw new JsonProblem(reason, reader.consumed());
}

/** Returns the reason of a problem with its location on a second line. */
export function locatedReason(pattern: string, { message, consumed, lined }: JsonProblem): string {
  return `${message}\n at ${sourceLocation(pattern, consumed, lined)}`;
}

/** Reads the operand of an operator that takes a string. */
export function stringOperand(reader: JsonReader, operator: string): string {
  if (reader.next() !== 'string') fail(reader, `${operator} match pattern must be a string`);
  return reader.text();
}

/** Reads the end of a match object. */
export function closeExpression(reader: JsonReader): void {
  if (reader.next() !== 'end-object') fail(reader, 'Only one key allowed in match expression');
}
