import { AwsError } from '#core/aws-error.ts';

/**
 * One pass over an input: where it is, and what it has found wrong. `at` is a stack that readers write their step into, so that a path is only
 * put together for what is wrong.
 */
export interface Reading {
  readonly at: (string | number)[];
  readonly faults: Fault[];
  /** Chime says `Value at 'x'`; the others quote the value, but never a sensitive one. */
  readonly quotes: boolean;
}

/** Reads one value that stands at `at[0..depth)`, and notes in `reading` what is wrong with it. @throws AwsError SerializationException on a wrong type */
export type Read = (value: unknown, reading: Reading, depth: number) => unknown;

export interface Fault {
  readonly path: string;
  readonly constraint: string;
  /** As quoted after `Value`; undefined where it must not be told. */
  readonly quoted: string | undefined;
  /** Set where the service has a sentence of its own for this fault. */
  readonly sentence?: string;
}

/** Assumed: as many as AWS lists before it stops looking. */
const FAULTS_MAX = 10;
/** Longer values are cut in what we quote: an error ends in the trail. */
const QUOTED_MAX = 1_024;

/** Notes that the value at `depth` breaks a constraint; from the tenth on nothing more is noted. */
export function fault(
  reading: Reading,
  depth: number,
  constraint: string,
  value: unknown,
  sensitive: boolean,
  sentence?: (name: string) => string,
): void {
  if (reading.faults.length >= FAULTS_MAX) return;
  let path = '';
  for (let i = 0; i < depth; i++) path += i === 0 ? reading.at[i] : `.${reading.at[i]}`;
  const quoted = value === null ? 'null' : reading.quotes && !sensitive ? quote(value) : undefined;
  reading.faults.push({ path, constraint, quoted, ...(sentence === undefined ? {} : { sentence: sentence(path) }) });
}

/** Texts, numbers and lists of texts; of anything else nothing is told. */
function quote(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return `'${`${value}`.slice(0, QUOTED_MAX)}'`;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) return undefined;
  return `'[${value.slice(0, 64).join(', ').slice(0, QUOTED_MAX)}]'`;
}

/**
 * All faults in one error, in AWS's wording.
 *
 * Source: wire.md §5 with its evidence; IAM's own sentences as its clients report them.
 * Assumed: a sentence of the service's own is given only where nothing else is wrong, since it comes from behind the common validation.
 */
export function validationError(faults: readonly Fault[]): AwsError {
  const common = faults.filter((one) => one.sentence === undefined);
  const first = faults[0];
  if (common.length === 0 && first?.sentence !== undefined) return new AwsError('ValidationError', first.sentence, REASON);
  const count = common.length;
  const texts = common.map(
    ({ path, constraint, quoted }) =>
      `Value ${quoted === undefined ? '' : `${quoted} `}at '${path}' failed to satisfy constraint: ${constraint}`,
  );
  return new AwsError('ValidationError', `${count} validation error${count === 1 ? '' : 's'} detected: ${texts.join('; ')}`, REASON);
}

/**
 * Organizations names the first fault alone, by its kind, in an exception of its own, and never the member.
 *
 * Source: organizations 2016-11-28, InvalidInputExceptionReason and its documentation; the text of a pattern as callers of ListParents,
 * ListTagsForResource and ListPoliciesForTarget report it (boto/boto3 4565, cloud-custodian 8194).
 * Assumed: the other texts, which are those of the documentation.
 */
// biome-ignore format: a table
const ORGANIZATIONS: readonly (readonly [constraint: string, reason: string, message: string])[] = [
  ['Member must not be null',               'INPUT_REQUIRED',      'You must include a value for all required parameters.'],
  ['Member must have length less than',     'MAX_LENGTH_EXCEEDED', 'You provided a string parameter that is longer than allowed.'],
  ['Member must have length greater than',  'MIN_LENGTH_EXCEEDED', 'You provided a string parameter that is shorter than allowed.'],
  ['Member must have value less than',      'MAX_VALUE_EXCEEDED',  'You provided a numeric parameter that has a larger value than allowed.'],
  ['Member must have value greater than',   'MIN_VALUE_EXCEEDED',  'You provided a numeric parameter that has a smaller value than allowed.'],
  ['Member must satisfy enum value set',    'INVALID_ENUM',        'You specified an invalid value.'],
  ['Member must satisfy regular expression', 'INVALID_PATTERN',    'You provided a value that does not match the required pattern.'],
  ['Member must satisfy constraint',        'INVALID_LIST_MEMBER', 'You provided a list to a parameter that contains at least one invalid value.'],
];

/** What is wrong with an input of Organizations. */
export function invalidInput([first]: readonly Fault[]): AwsError {
  const kind = ORGANIZATIONS.find(([constraint]) => first?.constraint.startsWith(constraint));
  if (kind === undefined) throw new Error(`nobody says how Organizations names ${first?.constraint}`);
  const [, reason, message] = kind;
  return new AwsError('InvalidInputException', message, { Reason: reason });
}

/** Access Analyzer's error has this member; the other services' have not, and leave it out. */
export const REASON = { reason: 'fieldValidationFailed' } as const;

/** `externalMeetingId`: members are named so in AWS's messages. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** AWS's words for a value of the wrong type. */
export function notA(value: unknown, wanted: string): AwsError {
  if (Array.isArray(value)) return new AwsError('SerializationException', 'Start of list found where not expected');
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    return new AwsError('SerializationException', 'Start of structure or map found where not expected.');
  const found =
    value === true
      ? 'TRUE_VALUE'
      : value === false
        ? 'FALSE_VALUE'
        : typeof value === 'number'
          ? 'NUMBER_VALUE'
          : typeof value === 'string'
            ? 'STRING_VALUE'
            : 'VALUE';
  return new AwsError('SerializationException', `${found} can not be converted to ${wanted}`);
}
