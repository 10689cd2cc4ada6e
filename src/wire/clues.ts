import type { Received } from '#core/exchange.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/model.ts';
import { CHIME_SERVICES, type RawPair } from './routed.ts';

/**
 * What a request says about the service it is for. Every clue is unverified; each only helps to choose among operations, and the one chosen is
 * the one that is authorized.
 */
export interface Clues {
  readonly host: string | undefined;
  readonly target: string | undefined;
  readonly smithyProtocol: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly userAgent: string | undefined;
  /** The service in the credential scope, of the header or of a presigned query. */
  readonly scope: string | undefined;
}

/** Reads the headers that routing asks for in one pass; of a header sent twice the first counts, as in Node. */
export function readClues(received: Received, query: readonly RawPair[]): Clues {
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
    // The length sorts nearly every header out without making a lower-case copy of its name.
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
    // In Node the JavaScript SDK names the service in the one, in a browser in the other.
    userAgent: browserAgent === undefined ? userAgent : `${userAgent} ${browserAgent}`,
    scope: credential && scopeService(credential),
  };
}

function between(text: string, start: string, end: string): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const to = text.indexOf(end, from);
  return text.slice(from + start.length, to < 0 ? undefined : to);
}

/** `AKIA…/20261122/us-east-1/iam/aws4_request`: the fourth part; a presigned URL writes the slashes as `%2F`. */
function scopeService(credential: string): string | undefined {
  const parts = credential.includes('%') ? credential.split(/%2F|\//i) : credential.split('/');
  return parts.length === 5 ? parts[3] : undefined;
}

/** The services that sign under a name; none where the name is unknown. */
// biome-ignore format: a table
const BY_SIGNING_NAME: ReadonlyMap<string, readonly ServiceName[]> = new Map<string, readonly ServiceName[]>([
  ['chime',           CHIME_SERVICES],
  ['iam',             ['iam']],
  ['sts',             ['sts']],
  ['cloudtrail',      ['cloudtrail']],
  ['events',          ['events']],
  ['monitoring',      ['cloudwatch']],
  ['access-analyzer', ['accessanalyzer']],
  ['organizations',   ['organizations']],
]);

/** The name a service signs under: the inverse of the table above, so that no model is loaded to ask. */
export function signsAs(service: ServiceName): string {
  for (const [name, services] of BY_SIGNING_NAME) if (services.includes(service)) return name;
  return service;
}

export function servicesSigningAs(name: string): readonly ServiceName[] {
  return BY_SIGNING_NAME.get(name) ?? [];
}

/** First label of a host, as AWS names its endpoints. `chime` is not here: see `route`. Requirement AUTHN-2. */
// biome-ignore format: a table
const BY_HOST_LABEL: ReadonlyMap<string, ServiceName> = new Map<string, ServiceName>([
  ['meetings-chime',        'chime-sdk-meetings'],
  ['identity-chime',        'chime-sdk-identity'],
  ['messaging-chime',       'chime-sdk-messaging'],
  ['media-pipelines-chime', 'chime-sdk-media-pipelines'],
  ['voice-chime',           'chime-sdk-voice'],
  ['iam',                   'iam'],
  ['sts',                   'sts'],
  ['cloudtrail',            'cloudtrail'],
  ['events',                'events'],
  ['monitoring',            'cloudwatch'],
  ['access-analyzer',       'accessanalyzer'],
  ['organizations',         'organizations'],
]);

/** The service a host names, FIPS and dual-stack forms included. `chime` for `chime.…` and `service.chime.…`. */
export function serviceOfHost(host: string): ServiceName | undefined {
  const lower = host.toLowerCase();
  if (lower.startsWith('service.chime.')) return 'chime';
  const dot = lower.indexOf('.');
  if (dot < 0) return undefined;
  const label = lower.slice(0, dot);
  const plain = label.endsWith('-fips') ? label.slice(0, -5) : label;
  return plain === 'chime' ? 'chime' : BY_HOST_LABEL.get(plain);
}

const BY_TARGET: ReadonlyMap<string, ServiceName> = new Map<string, ServiceName>([
  ['CloudTrail_20131101', 'cloudtrail'],
  ['AWSEvents', 'events'],
  ['GraniteServiceVersion20100801', 'cloudwatch'],
  ['AWSOrganizationsV20161128', 'organizations'],
]);

/**
 * `CloudTrail_20131101.LookupEvents` → service and operation. What stands before the last dot but one differs among clients: botocore sends
 * `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents`.
 */
export function readTarget(target: string): { readonly service: ServiceName | undefined; readonly operation: string } {
  const last = target.lastIndexOf('.');
  const prefix = last < 0 ? '' : target.slice(target.lastIndexOf('.', last - 1) + 1, last);
  return { service: BY_TARGET.get(prefix), operation: target.slice(last + 1) };
}

/** The service of `/service/GraniteServiceVersion20100801/operation/PutMetricData`. */
export function serviceOfTarget(prefix: string): ServiceName | undefined {
  return BY_TARGET.get(prefix);
}

/** `2011-06-15` → sts: what an unsigned AssumeRoleWithWebIdentity says. */
export const QUERY_VERSIONS: ReadonlyMap<string, ServiceName> = new Map<string, ServiceName>([
  ['2011-06-15', 'sts'],
  ['2010-05-08', 'iam'],
  ['2010-08-01', 'cloudwatch'],
]);

const BY_NAME: ReadonlyMap<string, ServiceName> = new Map(SERVICE_NAMES.map((name) => [name, name]));

/** The service of our own name for it, as in `/_chime-sdk-voice/`. */
export function serviceNamed(name: string): ServiceName | undefined {
  return BY_NAME.get(name);
}

const BY_AGENT_NAME: ReadonlyMap<string, ServiceName> = new Map(SERVICE_NAMES.map((name) => [name.replaceAll('-', ''), name]));

/**
 * The service that a User-Agent names: `api/chime-sdk-voice#3.1` (JavaScript; until 2023 `api/chime_sdk_voice/3.38`), `api/chimesdkvoice#1.2`
 * (Go), `command/chime-sdk-voice.list-x` (CLI v2). botocore and CLI v1 name none.
 */
export function serviceOfUserAgent(userAgent: string): ServiceName | undefined {
  const named = word(userAgent, 'api/', '#/') ?? word(userAgent, 'command/', '.');
  return named === undefined ? undefined : BY_AGENT_NAME.get(named.toLowerCase().replaceAll('-', '').replaceAll('_', ''));
}

/** What stands between `start` and the first of `ends`. */
function word(text: string, start: string, ends: string): string | undefined {
  const found = text.indexOf(start);
  if (found < 0) return undefined;
  const from = found + start.length;
  for (let to = from; to < text.length && to - from <= 64; to++) if (ends.includes(text.charAt(to))) return text.slice(from, to);
  return undefined;
}
