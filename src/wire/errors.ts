import type { CommonErrorCode } from '#core/aws-error.ts';
import { loadModel } from '#model/load.ts';
import type { ServiceModel, Shape } from '#model/model.ts';
import { isChime } from '#model/services.ts';
import type { Spelling } from './routed.ts';

/** An error to be answered: what `AwsError` carries. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** An error as the client and the trail see it. */
export interface SpeltError {
  /** `NoSuchEntity` in a query answer, `NotFoundException` in a JSON one. */
  readonly code: string;
  readonly status: number;
  /** The error's shape in the service's model; absent for what every service may answer. */
  readonly shape?: Shape;
  /** The code in the query protocol: what query-compatible JSON and CBOR answers say in `x-amzn-query-error`. */
  readonly queryCode: string;
}

interface Common {
  readonly query: string;
  readonly queryStatus: number;
  /** Spellings in JSON, the first one that the service's model has, else the last. */
  readonly json: readonly string[];
  readonly jsonStatus: number;
}

/**
 * What any service may answer, by its common name, which is also its query spelling unless the table says otherwise.
 *
 * Source: IAM User Guide, "Common errors"; requirement AUTHN-4 and wire.md §4 for the JSON spellings and statuses.
 * Assumed: JSON statuses of AUTHN-4 for the Chime hosts, which nobody has recorded; 413 for an oversized request in either dialect.
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

const SPELT = new WeakMap<ServiceModel, Map<string, SpeltError>>();

/**
 * The code and status of an error for whom it is answered to. A shape of the service's model has its own status; a common name is spelt for
 * the protocol; anything else is answered as it is with 400, because services give codes that their models leave out.
 *
 * Source: requirement TS-2: a policy denial on the classic host is `ForbiddenException`.
 */
export function errorCodeFor(spelling: Spelling, error: Pick<Failure, 'code'>): SpeltError {
  const { service, protocol } = spelling;
  const model = service === undefined ? undefined : loadModel(service);
  if (model === undefined) return spell(undefined, protocol === 'query', error.code);
  let known = SPELT.get(model);
  if (known === undefined) SPELT.set(model, (known = new Map()));
  const key = protocol === 'query' ? `query ${error.code}` : error.code;
  let spelt = known.get(key);
  if (spelt === undefined) {
    spelt = spell(model, protocol === 'query', error.code);
    // Codes are ours and few; what a handler makes up from input must not stay for ever.
    if (known.size < 1_000) known.set(key, spelt);
  }
  return spelt;
}

function spell(model: ServiceModel | undefined, inQuery: boolean, code: string): SpeltError {
  const name = model?.service === 'chime' && code === 'AccessDenied' ? 'ForbiddenException' : code;
  const shape = errorShape(model, name);
  if (shape !== undefined) return modelled(name, shape, inQuery);
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

function modelled(name: string, shape: Shape, inQuery: boolean): SpeltError {
  const queryCode = shape.error?.code ?? name;
  return { code: inQuery ? queryCode : name, status: shape.error?.status ?? 400, shape, queryCode };
}

/**
 * What Chime writes as `Code` in an error's body: the shape's name without its ending, but for two.
 * Source: ErrorCode of the Chime models. Assumed: the pairing of names and codes.
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

/** The members of an error's body, by the names the service writes them under. */
export function errorMembers(spelling: Spelling, spelt: SpeltError, error: Failure, requestId: string): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  if (spelt.shape === undefined) {
    if (spelling.service !== undefined && isChime(spelling.service)) return { Code: chimeCode(spelt.code), Message: error.message };
    return { message: error.message };
  }
  for (const [name, use] of Object.entries(spelt.shape.members ?? {})) {
    if (use.location !== undefined) continue;
    const given = error.members[name];
    if (given !== undefined) members[name] = given;
    else if (name === 'message' || name === 'Message') members[name] = error.message;
    else if (name === 'Code') members[name] = chimeCode(spelt.code);
    else if (name === 'RequestId') members[name] = requestId;
  }
  if (members['message'] === undefined && members['Message'] === undefined) members['message'] = error.message;
  return members;
}
