import type { CommonErrorCode } from '#core/aws-error.ts';
import { loadModel } from '#model/load.ts';
import type { ServiceModel, Shape } from '#model/model.ts';
import { isChime } from '#model/services.ts';
import type { ErrorTarget } from './routed.ts';
import { s3Code } from './s3-errors.ts';

/** Error to encode: the content of an `AwsError`. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Code, status and shape of an error in the responses and trail records of one service and protocol. */
export interface FormattedError {
  /** Error code, for example `NoSuchEntity` in a query response or `NotFoundException` in a JSON response. */
  readonly code: string;
  readonly status: number;
  /** Shape of the error in the service's model. Absent for common errors. */
  readonly shape?: Shape;
  /** Code in the query protocol. Query-compatible JSON and CBOR responses also have it, in `x-amzn-query-error`. */
  readonly queryCode: string;
}

interface Common {
  readonly query: string;
  readonly queryStatus: number;
  /** Possible codes in JSON. The response has the first code that is in the service's model, or otherwise the last code. */
  readonly json: readonly string[];
  readonly jsonStatus: number;
}

/**
 * Errors that every service can return, by their common name.
 *
 * Source: IAM User Guide, "Common errors"; requirement AUTHN-4 and wire.md §4 for the JSON codes and statuses.
 * Assumed: (1) that the Chime services use the JSON statuses of AUTHN-4; (2) the status 413 for an oversized request in
 * all protocols.
 */
// biome-ignore format: a table
const COMMON: ReadonlyMap<string, Common> = new Map<CommonErrorCode, Common>([
  // common name                    query code                          status    JSON codes                                               status
  ['AccessDenied',                  { query: 'AccessDenied',            queryStatus: 403, json: ['AccessDeniedException'],                         jsonStatus: 403 }],
  ['ValidationError',               { query: 'ValidationError',         queryStatus: 400, json: ['ValidationException'],                           jsonStatus: 400 }],
  ['InvalidClientTokenId',          { query: 'InvalidClientTokenId',    queryStatus: 403, json: ['UnrecognizedClientException'],                   jsonStatus: 403 }],
  ['SignatureDoesNotMatch',         { query: 'SignatureDoesNotMatch',   queryStatus: 403, json: ['InvalidSignatureException'],                     jsonStatus: 403 }],
  ['ExpiredToken',                  { query: 'ExpiredToken',            queryStatus: 403, json: ['ExpiredTokenException'],                         jsonStatus: 403 }],
  ['MissingAuthenticationToken',    { query: 'MissingAuthenticationToken', queryStatus: 403, json: ['MissingAuthenticationTokenException'],        jsonStatus: 403 }],
  ['IncompleteSignature',           { query: 'IncompleteSignature',     queryStatus: 400, json: ['IncompleteSignatureException'],                  jsonStatus: 403 }],
  ['RequestExpired',                { query: 'RequestExpired',          queryStatus: 400, json: ['RequestExpired'],                                jsonStatus: 400 }],
  ['Throttling',                    { query: 'Throttling',              queryStatus: 400, json: ['ThrottledClientException', 'ThrottlingException'], jsonStatus: 400 }],
  ['InternalFailure',               { query: 'InternalFailure',         queryStatus: 500, json: ['InternalFailure'],                               jsonStatus: 500 }],
  ['ServiceUnavailable',            { query: 'ServiceUnavailable',      queryStatus: 503, json: ['ServiceUnavailableException'],                   jsonStatus: 503 }],
  ['NotYetImplementedException',    { query: 'NotYetImplemented',       queryStatus: 400, json: ['NotYetImplementedException'],                    jsonStatus: 400 }],
  ['RequestTooLarge',               { query: 'RequestEntityTooLarge',   queryStatus: 413, json: ['RequestEntityTooLargeException'],                jsonStatus: 413 }],
  ['SerializationException',        { query: 'MalformedInput',          queryStatus: 400, json: ['SerializationException'],                        jsonStatus: 400 }],
  ['UnknownOperationException',     { query: 'InvalidAction',           queryStatus: 400, json: ['UnknownOperationException'],                     jsonStatus: 404 }],
  ['InvalidAction',                 { query: 'InvalidAction',           queryStatus: 400, json: ['UnknownOperationException'],                     jsonStatus: 404 }],
  ['MissingAction',                 { query: 'MissingAction',           queryStatus: 400, json: ['UnknownOperationException'],                     jsonStatus: 404 }],
  ['UnrecognizedServiceException',  { query: 'InvalidAction',           queryStatus: 400, json: ['UnrecognizedServiceException'],                  jsonStatus: 404 }],
  ['UnsupportedMediaTypeException', { query: 'MalformedInput',          queryStatus: 415, json: ['UnsupportedMediaTypeException'],                 jsonStatus: 415 }],
]);

/** Reports whether a code in a response is one that every service can return: `ValidationException`, `AccessDenied`. */
export function isCommonCode(code: string): boolean {
  return [...COMMON.values()].some(({ query, json }) => query === code || json.includes(code));
}

/**
 * Names of common errors in services that have one of their own.
 *
 * Source: requirement TS-2 for `chime`; events.md §5 for `logs`, recorded.
 */
const OWN_NAMES: Readonly<Record<string, string>> = {
  'chime AccessDenied': 'ForbiddenException',
  'logs ValidationError': 'InvalidParameterException',
};

const FORMATTED = new WeakMap<ServiceModel, Map<string, FormattedError>>();

/**
 * Returns the code and status that an error has in responses of a service in a protocol.
 *
 * An error of the service's model has the model's status. A common error has the code and status of its row in
 * `COMMON`. Other codes remain unchanged and have status 400, because services return codes that their models lack.
 *
 * Source: requirement TS-2: a policy denial on the classic host is `ForbiddenException`.
 */
export function errorCodeFor(target: ErrorTarget, error: Pick<Failure, 'code'>): FormattedError {
  const { service, protocol } = target;
  const model = service === undefined ? undefined : loadModel(service);
  if (model === undefined) return formatCode(undefined, protocol === 'query', error.code);
  let known = FORMATTED.get(model);
  if (known === undefined) FORMATTED.set(model, (known = new Map()));
  const key = protocol === 'query' ? `query ${error.code}` : error.code;
  let formatted = known.get(key);
  if (formatted === undefined) {
    formatted = formatCode(model, protocol === 'query', error.code);
    // There are usually few codes. The limit bounds the cache in case a handler derives codes from its input.
    if (known.size < 1_000) known.set(key, formatted);
  }
  return formatted;
}

function formatCode(model: ServiceModel | undefined, inQuery: boolean, code: string): FormattedError {
  const name = OWN_NAMES[`${model?.service} ${code}`] ?? code;
  const shape = errorShape(model, name);
  if (shape !== undefined) return modelled(name, shape, inQuery);
  if (model?.service === 's3') {
    const named = s3Code(name);
    const own = errorShape(model, named.code);
    return own === undefined ? { ...named, queryCode: named.code } : modelled(named.code, own, false);
  }
  const common = COMMON.get(name);
  if (common === undefined) return { code: name, status: 400, queryCode: name };
  if (inQuery) return { code: common.query, status: common.queryStatus, queryCode: common.query };
  for (const candidate of common.json) {
    const found = errorShape(model, candidate);
    if (found !== undefined) return { ...modelled(candidate, found, false), queryCode: common.query };
  }
  return { code: common.json.at(-1) as string, status: common.jsonStatus, queryCode: common.query };
}

function errorShape(model: ServiceModel | undefined, name: string): Shape | undefined {
  const shape = model?.shapes[name];
  return shape?.error === undefined ? undefined : shape;
}

function modelled(name: string, shape: Shape, inQuery: boolean): FormattedError {
  const queryCode = shape.error?.code ?? name;
  return { code: inQuery ? queryCode : name, status: shape.error?.status ?? 400, shape, queryCode };
}

/**
 * Returns the `Code` in the body of a Chime error. Three shapes have a code of their own. For other shapes, the code is
 * the shape's name without the suffix `Exception`.
 *
 * Source: ErrorCode of the Chime models. Assumed: the assignment of the codes to shape names.
 */
export function chimeCode(code: string): string {
  switch (code) {
    case 'ThrottledClientException':
      return 'Throttled';
    case 'UnauthorizedClientException':
      return 'Unauthorized';
    case 'UnprocessableEntityException':
      return 'Unprocessable';
    default:
      return code.endsWith('Exception') ? code.slice(0, -'Exception'.length) : code;
  }
}

/**
 * Returns the members of an error's body, by the names in the service's model. Errors in the model of Amazon Chime also have `RequestId` and
 * `Resource`, which the model does not have.
 *
 * Source: GitHub, amazon-chime-sdk-js, issue 1558: `{"Code":"BadRequest","Message":"...","RequestId":"...","Resource":null}`.
 * Assumed: `Resource` is null in all errors. Errors that precede the operation, such as those of the signature, are not in the model and have
 * `Code` and `Message` only.
 */
export function errorMembers(target: ErrorTarget, formatted: FormattedError, error: Failure, requestId: string): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  if (formatted.shape === undefined) {
    if (target.service !== undefined && isChime(target.service)) return { Code: chimeCode(formatted.code), Message: error.message };
    return { message: error.message };
  }
  for (const [name, use] of Object.entries(formatted.shape.members ?? {})) {
    if (use.location !== undefined) continue;
    const given = error.members[name];
    if (given !== undefined) members[name] = given;
    else if (name === 'message' || name === 'Message') members[name] = error.message;
    else if (name === 'Code') members[name] = chimeCode(formatted.code);
    else if (name === 'RequestId') members[name] = requestId;
  }
  if (members['message'] === undefined && members['Message'] === undefined) members['message'] = error.message;
  return target.service === 'chime' ? { ...members, RequestId: requestId, Resource: null } : members;
}
