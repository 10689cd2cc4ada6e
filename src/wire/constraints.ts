import type { Shape } from '#model/model.ts';
import { compiledPattern, isOneClass, matchesPattern } from '#model/patterns.ts';
import type { ServiceName } from '#model/services.ts';
import { fault, type Reading } from './faults.ts';

/** Records the constraints that a value of the correct type violates. */
export type Check<T> = (value: T, reading: Reading, depth: number) => void;

/**
 * Compiles the constraints of a string shape. Returns `undefined` if the shape has no constraints. The length of a
 * string is its number of code points.
 *
 * The check records every violated constraint, with one exception: if a string is longer than twice the maximum, the
 * check skips the pattern. Otherwise the matching could take too long. A pattern of one character class is never
 * skipped, because it takes linear time.
 *
 * Source: Smithy 2.0, "length trait"; wire.md §5; messages of AWS that name the length and the pattern of one value, such as "Value 'Aaaa' at
 * 'userCode'" of Cognito.
 */
export function stringCheck(shape: Shape, sensitive: boolean, service: ServiceName): Check<string> | undefined {
  const { min = 0, max = Number.POSITIVE_INFINITY } = shape;
  const values = shape.enum === undefined ? undefined : new Set(shape.enum);
  // If the shape has a maximum length, the check below compares the length before it matches the pattern. If the shape
  // has no maximum length, `matchesPattern` limits the length.
  const pattern =
    shape.pattern === undefined
      ? undefined
      : shape.max === undefined
        ? { test: (text: string) => matchesPattern(shape, text) }
        : compiledPattern(shape.pattern);
  const longest = shape.pattern === undefined ? 0 : Math.max(2 * max, isOneClass(shape.pattern) ? Number.POSITIVE_INFINITY : 0);
  const sentence = service === 'iam' && shape.pattern !== undefined ? iamSentence(shape.pattern) : undefined;
  if (values === undefined && pattern === undefined && min === 0 && max === Number.POSITIVE_INFINITY) return undefined;
  const texts = constraintTexts(shape);

  return (value, reading, depth) => {
    const units = value.length;
    // A string of n code units has between n / 2 and n code points. The code points are counted only if n exceeds the
    // maximum or is less than twice the minimum.
    if (units > max || units < min * 2) {
      const points = codePoints(value);
      if (points > max) fault(reading, depth, texts.max, value, sensitive);
      else if (points < min) fault(reading, depth, texts.min, value, sensitive);
    }
    if (values !== undefined && !values.has(value)) fault(reading, depth, texts.enum, value, sensitive);
    if (pattern !== undefined && units <= longest && !pattern.test(value)) fault(reading, depth, texts.pattern, value, sensitive, sentence);
  };
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        i++;
      }
    }
  }
  return count;
}

/** Compiles the check that a number is in the range of its shape. Returns `undefined` if the shape has no range. */
export function numberCheck(shape: Shape, sensitive: boolean): Check<number> | undefined {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = shape;
  if (shape.min === undefined && shape.max === undefined) return undefined;
  return (value, reading, depth) => {
    if (value > max) fault(reading, depth, `Member must have value less than or equal to ${max}`, value, sensitive);
    else if (value < min) fault(reading, depth, `Member must have value greater than or equal to ${min}`, value, sensitive);
  };
}

/**
 * Compiles the limits on the number of list elements, map entries or blob bytes. Returns `undefined` if the shape has
 * no limits. `quoted` is the value that the message may quote.
 */
export function sizeCheck(
  shape: Shape,
): ((size: number, quoted: unknown, sensitive: boolean, reading: Reading, depth: number) => void) | undefined {
  const { min = 0, max = Number.POSITIVE_INFINITY } = shape;
  if (min === 0 && max === Number.POSITIVE_INFINITY) return undefined;
  const texts = constraintTexts(shape);
  return (size, quoted, sensitive, reading, depth) => {
    if (size > max) fault(reading, depth, texts.max, quoted, sensitive);
    else if (size < min) fault(reading, depth, texts.min, quoted, sensitive);
  };
}

/** Returns AWS's messages for the constraints of a string, list, map or blob. */
export function constraintTexts(shape: Shape): {
  readonly max: string;
  readonly min: string;
  readonly enum: string;
  readonly pattern: string;
} {
  return {
    max: `Member must have length less than or equal to ${shape.max}`,
    min: `Member must have length greater than or equal to ${shape.min}`,
    enum: `Member must satisfy enum value set: [${shape.enum?.join(', ')}]`,
    pattern: `Member must satisfy regular expression pattern: ${shape.pattern}`,
  };
}

/**
 * Returns the message for an invalid element of a list. The message names all constraints of the element:
 * `[Member must have length …, Member must …]`.
 *
 * Source: CreateOpenIDConnectProvider in localstack/localstack, tests/aws/services/iam, recorded on AWS on 2026-02-17:
 * the message also names the constraints that the element satisfies.
 */
export function elementConstraint(shape: Shape): string {
  const texts = constraintTexts(shape);
  const all = [
    ...(shape.max === undefined ? [] : [texts.max]),
    ...(shape.min === undefined ? [] : [texts.min]),
    ...(shape.enum === undefined ? [] : [texts.enum]),
    ...(shape.pattern === undefined ? [] : [texts.pattern]),
  ];
  return `Member must satisfy constraint: [${all.join(', ')}]`;
}

/**
 * Returns IAM's own messages for the patterns of names and paths.
 *
 * Source: users' reports of IAM ("The specified value for userName is invalid …"); wire.md §5.
 */
function iamSentence(pattern: string): ((name: string) => string) | undefined {
  switch (pattern) {
    case '[\\w+=,.@-]+':
      return (name) =>
        `The specified value for ${name} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
    case '(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)':
    case '((/[A-Za-z0-9\\.,\\+@=_-]+)*)/':
      return (name) =>
        `The specified value for ${name} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`;
    default:
      return undefined;
  }
}
