import { AwsError } from '#core/aws-error.ts';
import { counted } from '#core/counted.ts';

/**
 * State while an input is read: the current path and the faults until now. `at` has the steps of the path, which are
 * member names and list positions. Each reader writes its step to `at`. The steps are joined to a string only for a
 * fault.
 */
export interface Reading {
  readonly at: (string | number)[];
  readonly faults: Fault[];
  /**
   * Whether error messages quote the invalid value. Messages of Chime do not quote it (`Value at 'x'`). Messages of
   * other services quote it, except for sensitive values.
   */
  readonly quotes: boolean;
}

/** Reads the value at the path `at[0..depth)` and records its faults. @throws SerializationException  the value has the wrong type */
export type Read = (value: unknown, reading: Reading, depth: number) => unknown;

/** Violated constraint. */
export interface Fault {
  readonly path: string;
  readonly constraint: string;
  /** Quoted value, which follows `Value` in the message. Undefined if the message must not quote the value. */
  readonly quoted: string | undefined;
  /** Message, if the service has a message of its own for this fault. */
  readonly sentence?: string;
}

/** Maximum number of faults in a message. Assumed: AWS's messages also name at most ten. */
const FAULTS_MAX = 10;
/** Maximum length of a quotation, in characters. Longer values are truncated, because errors are stored in the trail. */
const QUOTED_MAX = 1_024;

/** Records that the value at `depth` violates a constraint. Ignores faults after the tenth. */
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

/** Quotes a string, number or list of strings. Returns `undefined` for other values. */
function quote(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return `'${`${value}`.slice(0, QUOTED_MAX)}'`;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) return undefined;
  return `'[${value.slice(0, 64).join(', ').slice(0, QUOTED_MAX)}]'`;
}

/**
 * Returns one error for all faults, with AWS's message.
 *
 * Source: wire.md §5 and the evidence listed there; users' reports of IAM's own messages.
 * Assumed: IAM checks for faults with a message of its own only after the common validation. So such a message is used
 * only if there are no other faults.
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
  return new AwsError('ValidationError', `${counted(count, 'validation error')} detected: ${texts.join('; ')}`, REASON);
}

/**
 * Reasons and messages of Organizations, by the beginning of the violated constraint. Organizations reports only the
 * first fault, as InvalidInputException, and does not name the member.
 *
 * Source: organizations 2016-11-28, InvalidInputExceptionReason and its documentation. The message for a pattern is from reports of
 * ListParents, ListTagsForResource and ListPoliciesForTarget (boto/boto3 4565, cloud-custodian 8194).
 * Assumed: the other messages are the descriptions of the reasons in the documentation.
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

/** Returns the error of Organizations for an invalid input. */
export function invalidInput([first]: readonly Fault[]): AwsError {
  const kind = ORGANIZATIONS.find(([constraint]) => first?.constraint.startsWith(constraint));
  if (kind === undefined)
    throw new Error(`InvalidInputException of Organizations has no Reason value for the constraint '${first?.constraint}'`);
  const [, reason, message] = kind;
  return new AwsError('InvalidInputException', message, { Reason: reason });
}

/**
 * Additional member of Access Analyzer's validation error. The models of other services do not have this member, so
 * their errors omit it.
 */
export const REASON = { reason: 'fieldValidationFailed' } as const;

/** Returns a member's name as in AWS's messages: `externalMeetingId`. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Returns the error for a value of the wrong type, with AWS's message. */
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
