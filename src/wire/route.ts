import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import { loadModel, modelOfOperation } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import { isChime, type ProtocolName, type ServiceName } from '#model/services.ts';
import {
  type Clues,
  QUERY_VERSIONS,
  readClues,
  readTarget,
  restServices,
  serviceNamed,
  serviceOfHost,
  serviceOfTarget,
  serviceOfUserAgent,
  servicesSigningAs,
  signsAs,
} from './clues.ts';
import { type ActionClues, actionOfForm, actionOfQuery } from './form.ts';
import { matchRest, type RestMatch, splitQuery } from './rest-routes.ts';
import type { RawPair, Routed, RouteSettings, RoutingRefusal } from './routed.ts';
import { s3Address } from './s3-address.ts';
import { routeS3 } from './s3-route.ts';
import { serviceOfTags } from './tagged-resource.ts';

/**
 * Determines the service, protocol and operation of a request. The signature of the request is not verified yet. The
 * server authorizes and runs the returned operation.
 *
 * S3 requests are recognized first: see `s3Address`. Otherwise the first of the following that names a service determines the service:
 * - the base path (`/_chime-sdk-voice/…`),
 * - the host, unless it is `chime.…` or contradicts the credential scope,
 * - the header `X-Amz-Target`, the path of the CBOR protocol, or the form,
 * - the credential scope.
 *
 * Six services sign as `chime` and share 19 routes. For these routes, the User-Agent decides, then the host, then the resource of a tag
 * request. Otherwise the service is chime-sdk-voice, because its shapes for phone numbers and settings have the most members.
 *
 * The function finds operations that AWS removed from the classic service `chime` (CHM-7) only if the request cannot be
 * for another service: see `removedMatch`.
 *
 * Source: AWS service models (endpoint prefixes, target prefixes, HTTP bindings); recorded User-Agents of SDKs.
 * Assumed: if a request to the host `chime.…` matches an operation of only one Chime service, the request is for that
 * service, even if it is another service than the classic one.
 */
export function route(received: Received, settings: RouteSettings): Routed | RoutingRefusal {
  const question = received.target.indexOf('?');
  const query = question < 0 ? NO_PAIRS : splitQuery(received.target.slice(question + 1));
  const clues = readClues(received, query);
  const sentPath = question < 0 ? received.target : received.target.slice(0, question);
  const address = s3Address(clues, sentPath, settings);
  if (address !== undefined) return routeS3(received, address, query);
  const base = basePath(sentPath);
  if (base.kind === 'unknown') return refusal('rest-json', undefined, 'UnrecognizedServiceException', `Unknown service '${base.name}'.`);
  const classic = classicPath(base, clues);
  const request: Request = {
    received,
    query,
    clues,
    path: classic ?? base.path,
    profileOf: (service) => profileOf(service, settings),
    legacyChime: settings.legacyChime === true,
  };
  const service = base.service ?? (classic === undefined ? strongHost(clues) : 'chime');
  if (service !== undefined) return routeWithin(request, service);

  if (clues.smithyProtocol !== undefined || clues.target !== undefined) return routeRpc(request, undefined);
  const action = readAction(request);
  if (action !== undefined) return routeAction(request, action, undefined);
  return routeRest(request, restServices(clues.scope));
}

interface Request {
  readonly received: Received;
  readonly query: readonly RawPair[];
  readonly clues: Clues;
  readonly path: string;
  readonly profileOf: (service: ServiceName) => 'classic' | 'sdk';
  readonly legacyChime: boolean;
}

const NO_PAIRS: readonly RawPair[] = [];

function profileOf(service: ServiceName, settings: RouteSettings): 'classic' | 'sdk' {
  return service === 'chime' || (settings.guide2021 && isChime(service)) ? 'classic' : 'sdk';
}

type BasePath =
  | { readonly kind: 'none'; readonly path: string; readonly service: undefined }
  | { readonly kind: 'service'; readonly path: string; readonly service: ServiceName }
  | { readonly kind: 'unknown'; readonly name: string };

/** Removes `/_<service>` from a path. The prefix remains part of the signed path, which `sigv4` reads from `target`. */
function basePath(path: string): BasePath {
  if (!path.startsWith('/_')) return { kind: 'none', path, service: undefined };
  const slash = path.indexOf('/', 1);
  const name = path.slice(2, slash < 0 ? undefined : slash);
  const service = serviceNamed(name);
  if (service === undefined) return { kind: 'unknown', name: name.slice(0, 64) };
  return { kind: 'service', path: slash < 0 ? '/' : path.slice(slash), service };
}

/**
 * Removes the prefix `/console` from a path, with which early clients of `chime` begin every path. Returns undefined for other paths. No
 * other service of Chime has such paths, so the prefix also names the service.
 *
 * Source: chime.md §0; recorded requests in the API reference of 2019 to 2021: `POST /console/accounts`.
 */
function classicPath({ service, path }: Exclude<BasePath, { readonly kind: 'unknown' }>, { scope }: Clues): string | undefined {
  if (service !== undefined && service !== 'chime') return undefined;
  if (scope !== undefined && scope !== signsAs('chime')) return undefined;
  return path.startsWith('/console/') ? path.slice('/console'.length) : undefined;
}

function strongHost(clues: Clues): ServiceName | undefined {
  const service = clues.host === undefined ? undefined : serviceOfHost(clues.host);
  if (service === undefined || service === 'chime') return undefined;
  return clues.scope === undefined || signsAs(service) === clues.scope ? service : undefined;
}

/** Routes a request whose service is already known. */
function routeWithin(request: Request, service: ServiceName): Routed | RoutingRefusal {
  const model = loadModel(service);
  if (model.protocols.includes('rest-json')) return routeRest(request, [service]);
  const { smithyProtocol, target } = request.clues;
  if (smithyProtocol !== undefined && model.protocols.includes('smithy-rpc-v2-cbor')) return routeRpc(request, service);
  if (target !== undefined && model.protocols.includes('json')) return routeRpc(request, service);
  if (model.protocols.includes('query')) return routeAction(request, readAction(request) ?? NO_ACTION, service);
  return refusal('json', service, 'UnknownOperationException', 'The request does not name an operation.');
}

/** Routes a request by its header `smithy-protocol` and its path, or by `X-Amz-Target`. */
function routeRpc(request: Request, known: ServiceName | undefined): Routed | RoutingRefusal {
  const { clues, received, path } = request;
  if (clues.smithyProtocol !== undefined) {
    const [, , prefix = '', word, name = '', more] = path.split('/');
    const service = known ?? serviceOfTarget(prefix);
    const speaks = service !== undefined && loadModel(service).protocols.includes('smithy-rpc-v2-cbor');
    const asked = clues.smithyProtocol === 'rpc-v2-cbor' && path.startsWith('/service/') && word === 'operation' && more === undefined;
    if (!asked || !speaks || received.method !== 'POST') return unknownOperation('smithy-rpc-v2-cbor', service, name);
    const operation = loadModel(service).operations[name];
    return operation === undefined
      ? unknownOperation('smithy-rpc-v2-cbor', service, name)
      : finished(request, service, operation, 'smithy-rpc-v2-cbor', 'cbor');
  }
  const target = readTarget(clues.target ?? '');
  const scoped = clues.scope === undefined ? undefined : servicesSigningAs(clues.scope)[0];
  const service = known ?? target.service ?? scoped;
  const speaks = service !== undefined && loadModel(service).protocols.includes('json');
  const operation = speaks && received.method === 'POST' && path === '/' ? loadModel(service).operations[target.operation] : undefined;
  if (service === undefined || operation === undefined) return unknownOperation('json', service, target.operation);
  return finished(request, service, operation, 'json', 'json');
}

interface FoundAction extends ActionClues {
  readonly bodyKind: 'form' | 'query-string';
}
const NO_ACTION: FoundAction = { action: undefined, version: undefined, ambiguous: false, bodyKind: 'form' };

/** Returns the Action of a form, or of the query string for GET and a presigned POST. */
function readAction({ received, query, clues, path }: Request): FoundAction | undefined {
  if (path !== '/') return undefined;
  const inQuery = actionOfQuery(query);
  const isForm = received.method === 'POST' && (clues.contentType ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
  const inForm = isForm ? actionOfForm(received.body, clues.contentEncoding === 'gzip') : NO_ACTION;
  if (inForm.action !== undefined) return { ...inForm, bodyKind: 'form', ambiguous: inForm.ambiguous || inQuery.action !== undefined };
  if (inQuery.action !== undefined && (received.method === 'GET' || received.method === 'POST'))
    return { ...inQuery, bodyKind: 'query-string' };
  return isForm ? { ...inForm, bodyKind: 'form' } : undefined;
}

function routeAction(request: Request, found: FoundAction, known: ServiceName | undefined): Routed | RoutingRefusal {
  const { action, version } = found;
  const scoped = request.clues.scope === undefined ? undefined : servicesSigningAs(request.clues.scope)[0];
  const speaks = scoped !== undefined && loadModel(scoped).protocols.includes('query');
  const service = known ?? (speaks ? scoped : undefined) ?? QUERY_VERSIONS.get(version ?? '');
  if (action === undefined || action === '')
    return refusal('query', service, 'MissingAction', 'The request must contain the parameter Action.');
  const model = service === undefined ? undefined : loadModel(service);
  const operation = model?.operations[action];
  // Common parameters of the query protocol: Action and Version are both required. Source: IAM and STS API references, "Common parameters".
  if (model === undefined || service === undefined || operation === undefined || found.ambiguous || version !== model.apiVersion)
    return refusal(
      'query',
      service,
      'InvalidAction',
      `Could not find operation ${action.slice(0, 128)} for version ${(version ?? 'NO_VERSION_SPECIFIED').slice(0, 32)}`,
      action,
    );
  return finished(request, service, operation, 'query', found.bodyKind);
}

function routeRest(request: Request, services: readonly ServiceName[]): Routed | RoutingRefusal {
  const { received, path, query, clues } = request;
  const only = services.length === 1 ? services[0] : undefined;
  if (only !== undefined && !loadModel(only).protocols.includes('rest-json')) return missingOperation(request, only);
  const unknown = (): RoutingRefusal => {
    const likelyService = clues.scope === undefined ? undefined : servicesSigningAs(clues.scope)[0];
    return { ...unknownOperation('rest-json', only), ...(likelyService !== undefined && { likelyService }) };
  };
  if (!path.startsWith('/')) return unknown();
  const segments = path.slice(1).split('/');
  const matches: RestMatch[] = [];
  for (const service of services) {
    const match = matchRest(service, received.method, segments, query);
    if (match) matches.push(match);
  }
  // Old clients of the classic service send this prefix, which no other service has. Source: recorded requests of the API reference.
  if (segments[0] === 'console' && services.includes('chime')) {
    const match = matchRest('chime', received.method, segments.slice(1), query);
    if (match) matches.push(match);
  }
  const living = matches.length > 1 ? tieBreak(matches, received, query, clues) : matches[0];
  const match = removedMatch(request, services, segments, living) ?? living;
  if (match === undefined) return unknown();
  return finished(request, match.service, match.operation, 'rest-json', 'json', match);
}

/**
 * Finds an operation that AWS removed from the classic service, if the request cannot be for another operation.
 *
 * Most removed operations have the same routes as current operations of the other five services. So the base path or the User-Agent must
 * name the classic service. If the User-Agent names no service, the host `chime.…` is sufficient, if no current operation has the route or
 * the server serves removed operations.
 *
 * Source: requirement CHM-7; User-Agents of AWS CLI 2.9 (`command/chime.create-meeting`) and of `@aws-sdk/client-chime` 3.38 to 3.699.
 * Assumed: requests to the hosts `identity-chime.…` and `messaging-chime.…` are for current operations, although clients with the old model
 * sent 46 removed operations there.
 * Assumed: if the base path, User-Agent and host do not name the classic service, the request is for the service that
 * has the route now. boto3, AWS CLI v1 and aws-sdk v2 do not name a service in the User-Agent.
 */
function removedMatch(
  { received, query, clues, legacyChime }: Request,
  services: readonly ServiceName[],
  segments: readonly string[],
  living: RestMatch | undefined,
): RestMatch | undefined {
  if (living?.service === 'chime' || !services.includes('chime')) return undefined;
  const agent = clues.userAgent === undefined ? undefined : serviceOfUserAgent(clues.userAgent);
  const unclaimed = (living === undefined || legacyChime) && agent === undefined;
  const host = unclaimed && clues.host !== undefined ? serviceOfHost(clues.host) : undefined;
  const meant = services.length === 1 || agent === 'chime' || host === 'chime';
  const match = meant ? matchRest('chime', received.method, segments, query, 'removed') : undefined;
  if (match === undefined) return undefined;
  const { name } = match.operation;
  const model = modelOfOperation('chime', name, legacyChime);
  return { ...match, model, operation: model.operations[name] ?? match.operation };
}

/**
 * Returns the error for a request whose credential scope names a service without rest-json. The request does not name
 * an operation in any protocol of that service.
 */
function missingOperation({ path }: Request, service: ServiceName): RoutingRefusal {
  if (!loadModel(service).protocols.includes('query')) return unknownOperation('json', service);
  if (path !== '/') return unknownOperation('query', service);
  return refusal('query', service, 'MissingAction', 'The request must contain the parameter Action.');
}

function tieBreak(matches: readonly RestMatch[], received: Received, query: readonly RawPair[], clues: Clues): RestMatch | undefined {
  const of = (service: ServiceName | undefined): RestMatch | undefined => matches.find((match) => match.service === service);
  const named = of(clues.userAgent === undefined ? undefined : serviceOfUserAgent(clues.userAgent));
  if (named) return named;
  const host = of(clues.host === undefined ? undefined : serviceOfHost(clues.host));
  if (host) return host;
  return of(serviceOfTags(received, query, clues.contentEncoding)) ?? of('chime-sdk-voice') ?? matches[0];
}

function finished(
  request: Request,
  service: ServiceName,
  operation: OperationModel,
  protocol: ProtocolName,
  bodyKind: Routed['bodyKind'],
  { model, labels }: { readonly model: ServiceModel; readonly labels: readonly string[] } = { model: loadModel(service), labels: [] },
): Routed | RoutingRefusal {
  const encoding = (request.clues.contentEncoding ?? '').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity' && encoding !== 'gzip')
    return refusal(
      protocol,
      service,
      'UnsupportedMediaTypeException',
      `Unsupported content encoding '${encoding.slice(0, 64)}'. It must be gzip.`,
      operation.name,
    );
  return {
    kind: 'routed',
    service,
    model,
    operation,
    protocol,
    profile: request.profileOf(service),
    labels,
    query: request.query,
    bodyKind,
    contentEncoding: encoding === 'gzip' ? 'gzip' : 'identity',
  };
}

function unknownOperation(protocol: ProtocolName, service: ServiceName | undefined, named?: string): RoutingRefusal {
  return refusal(protocol, service, 'UnknownOperationException', 'The requested operation is unknown.', named);
}

const OPERATION_NAME = /^[A-Za-z][A-Za-z0-9]{0,127}$/;

function refusal(protocol: ProtocolName, service: ServiceName | undefined, code: string, message: string, named?: string): RoutingRefusal {
  return {
    kind: 'refused',
    protocol,
    ...(service === undefined ? {} : { service }),
    ...(named === undefined || !OPERATION_NAME.test(named) ? {} : { operationName: named }),
    error: new AwsError(code, message),
  };
}
