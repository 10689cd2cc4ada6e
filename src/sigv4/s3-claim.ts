/** Reads the signature of an S3 request. S3 has error codes of its own for malformed signatures. */
import { header, type Received } from '#core/exchange.ts';
import { readQuery, splitTarget } from './canonical.ts';
import { readSignature, type SignatureClaim } from './claim.ts';

/** Result of `readS3Signature`. `none` is an anonymous request. */
export type ReadS3Signature =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'malformed';
      readonly code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError' | 'InvalidArgument' | 'InvalidRequest';
      readonly message: string;
      readonly members?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'claim'; readonly claim: SignatureClaim };

/** Longest lifetime of a presigned URL, in seconds. */
const EXPIRES_MAX_SECONDS = 604_800;

const REQUIRED = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-SignedHeaders', 'X-Amz-Expires'] as const;

/** Message for Signature Version 2 and other schemes that are not Signature Version 4. */
const OTHER_MECHANISM = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';

/**
 * Parses the signature of an S3 request in the Authorization header or in the query, in bounded time. Does not verify the signature.
 *
 * A request with an incomplete signature is `malformed`, never `none`.
 *
 * Source: record.md C5, rows 46 and 48. Messages: responses of S3.
 * Assumed: a malformed header has the code AuthorizationHeaderMalformed, and its message continues with ours.
 */
export function readS3Signature(received: Received): ReadS3Signature {
  const authorization = header(received, 'authorization');
  const { query } = splitTarget(received.target);
  if (isSignature2(authorization, query)) return { kind: 'malformed', code: 'InvalidRequest', message: OTHER_MECHANISM };
  const inQuery = query !== '' && /(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/i.test(query);
  if (authorization !== undefined && inQuery) return twoMechanisms(authorization);
  if (authorization === undefined && inQuery) {
    const problem = queryProblem(query);
    if (problem !== undefined) return { kind: 'malformed', code: 'AuthorizationQueryParametersError', message: problem };
  }
  const read = readSignature(received);
  if (read.kind !== 'malformed') return read;
  return inQuery
    ? { kind: 'malformed', code: 'AuthorizationQueryParametersError', message: read.message }
    : { kind: 'malformed', code: 'AuthorizationHeaderMalformed', message: `The authorization header is malformed; ${read.message}` };
}

/**
 * Reports whether a request has a signature of Signature Version 2: `Authorization: AWS KEY:SIGNATURE`, or `AWSAccessKeyId` and
 * `Signature` in the query. Only S3 has clients that still send it.
 */
export function isSignature2(authorization: string | undefined, query: string): boolean {
  if (authorization !== undefined) return authorization.startsWith('AWS ');
  return query.includes('AWSAccessKeyId=') && /(?:^|&)AWSAccessKeyId=/.test(query) && /(?:^|&)Signature=/.test(query);
}

function twoMechanisms(authorization: string): ReadS3Signature {
  const message =
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';
  // The value of AWS's `ArgumentValue` is the header. Only its scheme is returned, so that logs of clients contain no signature.
  const scheme = authorization.split(' ', 1)[0] as string;
  return {
    kind: 'malformed',
    code: 'InvalidArgument',
    message,
    members: { ArgumentName: 'Authorization', ArgumentValue: scheme.slice(0, 64) },
  };
}

/** Returns the message for incomplete or invalid parameters of a presigned URL. `readSignature` finds the other problems. */
function queryProblem(query: string): string | undefined {
  const pairs = readQuery(query);
  if (pairs === undefined) return undefined;
  const found = new Map(pairs.filter(([name]) => REQUIRED.some((each) => each === name)));
  if (REQUIRED.some((name) => !found.get(name)))
    return 'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
  const expires = found.get('X-Amz-Expires') as string;
  if (!/^-?[0-9]{1,19}$/.test(expires)) return 'X-Amz-Expires should be a number';
  if (expires.startsWith('-')) return 'X-Amz-Expires must be non-negative';
  if (Number(expires) > EXPIRES_MAX_SECONDS)
    return `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_MAX_SECONDS} seconds`;
  return undefined;
}
