/** Outcomes of exchanges with receivers, from their status and error codes. */
import type { FailureCode } from '#services/kit/outgoing.ts';
import { GuardedRequestProblem } from '../../targets/guarded-handler.ts';
import type { Outcome } from '../outcome.ts';

/** Error codes of services for a missing target. Source: the service models. */
const MISSING = [
  ...(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 'NonExistentQueue'] as const),
  ...(['NotFound', 'NotFoundException', 'ResourceNotFoundException'] as const),
];
/** Error codes of services for a missing permission. */
const DENIED = [
  ...([
    'AccessDenied',
    'AccessDeniedException',
    'AuthorizationError',
    'AuthorizationErrorException',
    'UnrecognizedClientException',
  ] as const),
  ...(['InvalidClientTokenId', 'SignatureDoesNotMatch', 'InvalidSignatureException', 'MissingAuthenticationToken'] as const),
];
/** Error codes of services that ask for a later attempt, some with the status 400. */
const THROTTLED = [
  ...(['Throttling', 'ThrottlingException', 'Throttled', 'ThrottledException', 'RequestThrottled', 'TooManyRequestsException'] as const),
  ...(['ProvisionedThroughputExceededException', 'LimitExceededException', 'KMSThrottlingException', 'OverLimit'] as const),
];

/**
 * Returns the outcome of a response. Retried: 429, 5xx and throttling. Not retried: all others.
 *
 * Source: EventBridge User Guide, "How EventBridge retries delivering events". `name` is the error code of a service.
 */
export function outcomeOfStatus(status: number, name = '', retryAfterMs?: number): Outcome {
  if (status >= 200 && status < 300 && name === '') return { kind: 'sent' };
  const code = codeOf(status, name);
  // The receiver chooses the error code, so only a short word becomes part of the message.
  const word = /^[A-Za-z][A-Za-z0-9.]{0,63}$/.test(name) ? ` and the code ${name}` : '';
  const message = `the receiver responded with the status ${status}${word}`;
  const isRetried = code === 'THROTTLING' || status >= 500;
  if (isRetried) return { kind: 'retry', code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: 'failed', code, message };
}

function codeOf(status: number, name: string): FailureCode {
  const has = (names: readonly string[]): boolean => names.includes(name);
  if (status === 429 || has(THROTTLED)) return 'THROTTLING';
  if (status >= 500) return 'TIMEOUT';
  if (status === 401 || status === 403 || has(DENIED)) return 'NO_PERMISSIONS';
  if (status === 404 || has(MISSING)) return 'NO_RESOURCE';
  return 'SDK_CLIENT_ERROR';
}

/** Returns the outcome of an error of AWS's clients or of the guarded handler. */
export function outcomeOfError(error: unknown): Outcome {
  const {
    name = '',
    $metadata,
    code,
  } = error as {
    readonly name?: string;
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return outcomeOfStatus(status, name);
  if (error instanceof GuardedRequestProblem)
    return error.isRefused
      ? { kind: 'failed', code: 'NO_PERMISSIONS', message: error.message }
      : { kind: 'retry', code: 'TIMEOUT', message: error.message };
  return { kind: 'retry', code: 'TIMEOUT', message: `the receiver cannot be reached (${code ?? 'unknown error'})` };
}

/**
 * Returns the milliseconds of a header `Retry-After`: seconds, or a date. `undefined`: there is no header, or it is invalid.
 *
 * Source: RFC 9110, section 10.2.3. EventBridge accepts negative seconds (see `nextOf`).
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = header.length <= 64 ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
}
