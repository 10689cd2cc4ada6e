/** Checks of PutBucketPolicy. The checks of one statement are in `malformed-bucket-statement.ts`. */
import { tryCompilePolicy } from '../compile.ts';
import type { PolicyDocument } from '../document.ts';
import { type ReadProblem, readPolicy } from '../read.ts';
import { type StepBudget, StepsExceeded } from '../steps.ts';
import { bucketStatementProblem, INVALID_ACTION, INVALID_PRINCIPAL, INVALID_RESOURCE, SYNTAX } from './malformed-bucket-statement.ts';
import { PRINCIPAL_TYPES } from './malformed-values.ts';
import { POLICY_QUOTAS, policySize } from './policy-size.ts';
import type { AuthorizationReference } from './reference.ts';

const INVALID_JSON = 'This policy contains invalid Json';

/** Maximum number of steps to check one policy. They take about 50 ms. A policy with 1,000 different wildcards takes fewer. */
const CHECK_STEPS = 2 ** 21;

/**
 * Returns S3's message for `MalformedPolicy` if PutBucketPolicy rejects the policy of a bucket, or `undefined` if the policy
 * is valid. Does not check whether the users and roles in it exist.
 *
 * Source: record.md §C5, rows 12 and 13. Other messages: versitygw, tests/integration/PutBucketPolicy.go; scality Arsenal,
 * policyValidator; public error reports (`Unknown field condition`; `Normalized policy document exceeds …`).
 * Assumed: the order of the checks. The normalized size is the number of UTF-8 bytes without white space outside strings. S3
 * normalizes more, so it accepts slightly longer documents.
 * Assumed: a character above U+00FF is invalid, as in policies of IAM.
 * Assumed: the message for a policy that is too complex to check. It is Belfry's own.
 */
export function malformedBucketPolicy(text: string, bucketName: string, reference: AuthorizationReference): string | undefined {
  if (!text.startsWith('{')) return "Policies must be valid JSON and the first byte must be '{'";
  const { document, problems } = readPolicy(text);
  const unreadable = problems.map(readProblem).find((message) => message !== undefined);
  if (document === undefined) return unreadable ?? INVALID_JSON;
  if (bytesOf(text) > POLICY_QUOTAS.bucket.characters) return TOO_LARGE;
  try {
    return unreadable ?? documentProblem(document, bucketName, reference, { stepsLeft: CHECK_STEPS });
  } catch (error) {
    if (error instanceof StepsExceeded) return 'The policy is too complex';
    throw error;
  }
}

const TOO_LARGE = `Normalized policy document exceeds the maximum allowed size of ${POLICY_QUOTAS.bucket.characters} bytes`;

function bytesOf(text: string): number {
  return policySize(text) + (Buffer.byteLength(text) - text.length);
}

/** Returns the message for a problem of the reader. */
function readProblem({ kind, element }: ReadProblem): string | undefined {
  switch (kind) {
    case 'size':
      return TOO_LARGE;
    case 'character':
    case 'syntax':
    case 'depth':
    case 'repeated-name':
      return INVALID_JSON;
    case 'unknown-element':
      return `Unknown field ${element ?? ''}`;
    case 'missing-statement':
      return 'Missing required field Statement';
    case 'wrong-type':
      return wrongType(element);
  }
}

function wrongType(element: string | undefined): string {
  if (element === undefined) return SYNTAX;
  if (element === 'Principal' || element === 'NotPrincipal' || (PRINCIPAL_TYPES as readonly string[]).includes(element))
    return INVALID_PRINCIPAL;
  if (element === 'Action' || element === 'NotAction') return INVALID_ACTION;
  return element === 'Resource' || element === 'NotResource' ? INVALID_RESOURCE : SYNTAX;
}

function documentProblem(
  { version, statements, text }: PolicyDocument,
  bucketName: string,
  reference: AuthorizationReference,
  budget: StepBudget,
): string | undefined {
  if (version !== undefined && version.value !== '2012-10-17' && version.value !== '2008-10-17') {
    return 'The policy must contain a valid version string';
  }
  if (statements.length === 0) return 'Could not parse the policy: Statement is empty!';
  const sids = new Set<string>();
  for (const statement of statements) {
    const problem = bucketStatementProblem(statement, { bucketName, reference, budget });
    if (problem !== undefined) return problem;
    const sid = statement.sid?.value ?? '';
    // Assumed: the message, which IAM returns for trust policies.
    if (sid !== '' && sids.has(sid)) return 'The Statement Ids in the policy are not unique';
    sids.add(sid);
  }
  // A policy that the engine cannot compile is never stored. If the engine ignored an invalid statement, it could ignore a
  // Deny.
  return 'policy' in tryCompilePolicy(text) ? undefined : SYNTAX;
}
