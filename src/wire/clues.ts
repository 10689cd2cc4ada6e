import type { Received } from '#core/exchange.ts';
import { CHIME_SERVICES, isChime, SERVICE_NAMES, SERVICES, type ServiceName, serviceRow } from '#model/services.ts';
import type { RawPair } from './routed.ts';

/**
 * Values in a request from which the server determines the service. They are not verified. This is safe, because the
 * server then authorizes the operation that it determined from these values.
 */
export interface Clues {
  readonly host: string | undefined;
  readonly target: string | undefined;
  readonly smithyProtocol: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly userAgent: string | undefined;
  /** Service in the credential scope of the Authorization header or the presigned query. */
  readonly scope: string | undefined;
  /** Whether the request has a signature of Signature Version 2, which only clients of S3 send. */
  readonly signature2: boolean;
}

/** Reads all headers that routing needs in one loop. If a header is repeated, uses the first value, as Node does. */
export function readClues(received: Pick<Received, 'rawHeaders'>, query: readonly RawPair[]): Clues {
  let host: string | undefined;
  let target: string | undefined;
  let smithyProtocol: string | undefined;
  let contentType: string | undefined;
  let contentEncoding: string | undefined;
  let userAgent: string | undefined;
  let browserAgent: string | undefined;
  let authorization: string | undefined;
  const { rawHeaders } = received;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1];
    // The length is compared first, so that few header names must be converted to lower case.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') host ??= value;
        break;
      case 10:
        if (name.toLowerCase() === 'user-agent') userAgent ??= value;
        break;
      case 12:
        if (name.toLowerCase() === 'x-amz-target') target ??= value;
        else if (name.toLowerCase() === 'content-type') contentType ??= value;
        break;
      case 13:
        if (name.toLowerCase() === 'authorization') authorization ??= value;
        break;
      case 15:
        if (name.toLowerCase() === 'smithy-protocol') smithyProtocol ??= value;
        break;
      case 16:
        if (name.toLowerCase() === 'content-encoding') contentEncoding ??= value;
        else if (name.toLowerCase() === 'x-amz-user-agent') browserAgent ??= value;
        break;
    }
  }
  const credential = authorization ? between(authorization, 'Credential=', ',') : query.find(([name]) => name === 'X-Amz-Credential')?.[1];
  return {
    host,
    target,
    smithyProtocol,
    contentType,
    contentEncoding,
    // The JavaScript SDK names the service in `User-Agent` on Node, and in `X-Amz-User-Agent` in a browser.
    userAgent: browserAgent === undefined ? userAgent : `${userAgent} ${browserAgent}`,
    scope: credential && scopeService(credential),
    signature2: hasSignature2(authorization, query),
  };
}

function hasSignature2(authorization: string | undefined, query: readonly RawPair[]): boolean {
  if (authorization !== undefined) return authorization.startsWith('AWS ');
  const has = (wanted: string) => query.some(([name]) => name === wanted);
  return has('AWSAccessKeyId') && has('Signature');
}

function between(text: string, start: string, end: string): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const to = text.indexOf(end, from);
  return text.slice(from + start.length, to < 0 ? undefined : to);
}

/** Returns the fourth part of `AKIA…/20261122/us-east-1/iam/aws4_request`. A presigned URL encodes the slashes as `%2F`. */
function scopeService(credential: string): string | undefined {
  const parts = credential.includes('%') ? credential.split(/%2F|\//i) : credential.split('/');
  return parts.length === 5 ? parts[3] : undefined;
}

const REST_SERVICES: readonly ServiceName[] = [
  ...CHIME_SERVICES,
  ...SERVICE_NAMES.filter((name) => !isChime(name) && serviceRow(name).protocols.includes('rest-json')),
];

/** Services by signing name. Chime services are in the order in which the server tries them if a request does not name its service. */
const BY_SIGNING_NAME: ReadonlyMap<string, readonly ServiceName[]> = Map.groupBy(
  [...CHIME_SERVICES, ...SERVICE_NAMES.filter((name) => !isChime(name))],
  (name) => SERVICES[name].signingName,
);

/** Returns the signing name of a service. */
export function signsAs(service: ServiceName): string {
  return SERVICES[service].signingName;
}

/** Returns the services whose signatures have the signing name `name`. Returns an empty list for an unknown name. */
export function servicesSigningAs(name: string): readonly ServiceName[] {
  return BY_SIGNING_NAME.get(name) ?? [];
}

/**
 * Returns the rest-json services that a request with this credential scope may be for. If the scope is absent or
 * unknown, returns all rest-json services.
 */
export function restServices(scope: string | undefined): readonly ServiceName[] {
  const signing = scope === undefined ? [] : servicesSigningAs(scope);
  return signing.length === 0 ? REST_SERVICES : signing;
}

/** Services by the first label of AWS's host names: `iam` in `iam.amazonaws.com`. Requirement AUTHN-2. */
const BY_HOST_LABEL: ReadonlyMap<string, ServiceName> = new Map(SERVICE_NAMES.map((name) => [SERVICES[name].hostPrefix, name]));

/** Returns the service that a host names, including FIPS and dual-stack forms. `chime.…` and `service.chime.…` are `chime`. */
export function serviceOfHost(host: string): ServiceName | undefined {
  const lower = host.toLowerCase();
  if (lower.startsWith('service.chime.')) return 'chime';
  const dot = lower.indexOf('.');
  if (dot < 0) return undefined;
  const label = lower.slice(0, dot);
  return BY_HOST_LABEL.get(label.endsWith('-fips') ? label.slice(0, -5) : label);
}

/** Services by the last part of their prefix in `X-Amz-Target`: `CloudTrail_20131101`. */
const BY_TARGET: ReadonlyMap<string, ServiceName> = new Map(
  SERVICE_NAMES.flatMap((name) => {
    const prefix = serviceRow(name).targetPrefix;
    return prefix === undefined ? [] : [[prefix.slice(prefix.lastIndexOf('.') + 1), name] as const];
  }),
);

/**
 * Splits a value of `X-Amz-Target`, such as `CloudTrail_20131101.LookupEvents`, into service and operation. Ignores the
 * string before the second last dot, because it differs among clients. botocore sends
 * `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents`.
 */
export function readTarget(target: string): { readonly service: ServiceName | undefined; readonly operation: string } {
  const last = target.lastIndexOf('.');
  const prefix = last < 0 ? '' : target.slice(target.lastIndexOf('.', last - 1) + 1, last);
  return { service: BY_TARGET.get(prefix), operation: target.slice(last + 1) };
}

/**
 * Returns the service with a target prefix. In the CBOR protocol, the prefix is the second segment of the path:
 * `/service/GraniteServiceVersion20100801/…`.
 */
export function serviceOfTarget(prefix: string): ServiceName | undefined {
  return BY_TARGET.get(prefix);
}

/**
 * Services by the `Version` of a query request: `2011-06-15` is sts. The version is all that identifies the service of
 * an unsigned AssumeRoleWithWebIdentity request.
 */
export const QUERY_VERSIONS: ReadonlyMap<string, ServiceName> = new Map(
  SERVICE_NAMES.filter((name) => serviceRow(name).protocols.includes('query')).map((name) => [SERVICES[name].apiVersion, name]),
);

const BY_NAME: ReadonlyMap<string, ServiceName> = new Map(SERVICE_NAMES.map((name) => [name, name]));

/**
 * Returns the service with a name, or `undefined`. The base path `/_chime-sdk-voice/` has the name `chime-sdk-voice`.
 */
export function serviceNamed(name: string): ServiceName | undefined {
  return BY_NAME.get(name);
}

const BY_AGENT_NAME: ReadonlyMap<string, ServiceName> = new Map(SERVICE_NAMES.map((name) => [name.replaceAll('-', ''), name]));

/**
 * Returns the service that a User-Agent names: `api/chime-sdk-voice#3.1` (JavaScript; until 2023 `api/chime_sdk_voice/3.38`), `api/chimesdkvoice#1.2`
 * (Go), `command/chime-sdk-voice.list-x` (CLI v2). The User-Agents of botocore and CLI v1 do not name a service.
 */
export function serviceOfUserAgent(userAgent: string): ServiceName | undefined {
  const named = word(userAgent, 'api/', '#/') ?? word(userAgent, 'command/', '.');
  return named === undefined ? undefined : BY_AGENT_NAME.get(named.toLowerCase().replaceAll('-', '').replaceAll('_', ''));
}

/** Returns the string between `start` and the first character in `ends`, at most 64 characters. */
function word(text: string, start: string, ends: string): string | undefined {
  const found = text.indexOf(start);
  if (found < 0) return undefined;
  const from = found + start.length;
  for (let to = from; to < text.length && to - from <= 64; to++) if (ends.includes(text.charAt(to))) return text.slice(from, to);
  return undefined;
}
