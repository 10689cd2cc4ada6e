/** Captures the HTTP requests and responses of SDK clients as text. */

import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { decode } from 'cborg';
import { withoutNumbers } from './compare.ts';

/** Headers that are recorded. All other headers are generic HTTP headers or differ in each run. */
const HEADERS = ['content-type', 'x-amzn-errortype', 'x-amz-apiversion', 'location', 'retry-after', 'www-authenticate'];

/** Request and response of one call as text. */
export interface Captured {
  readonly request: string;
  readonly response: string;
  readonly requestId: string | undefined;
  /** Encoded authorization message of a denial. */
  readonly authorizationMessage?: string | undefined;
}

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Returns an HTTP handler for SDK clients that reports each exchange as text. */
export function capturing(captured: (exchange: Captured) => void) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig: () => {},
    destroy: () => {},
    async handle(sent: SdkRequest) {
      const path = pathOf(sent);
      const body = bodyOf(sent);
      const request = httpRequest({ host: sent.hostname, port: sent.port, method: sent.method, path, headers: sent.headers });
      request.end(body);
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const bytes = Buffer.concat(await answer.toArray());
      const { statusCode = 0 } = answer;
      const headers = answer.headers as Record<string, string>;
      captured({
        request: requestText(sent, path, body),
        response: responseText(statusCode, headers, bytes),
        requestId: headers['x-amzn-requestid'],
        authorizationMessage: headers['x-belfry-authorization-message'],
      });
      return { response: { statusCode, headers, body: Readable.from([bytes]) } };
    },
  };
}

function pathOf({ path, query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
  if (pairs.length === 0) return path;
  const escaped = pairs.map(([name, value]) => `${encodeURIComponent(name)}${value === null ? '' : `=${encodeURIComponent(value)}`}`);
  return `${path}?${escaped.join('&')}`;
}

function bodyOf({ body }: SdkRequest): string | Buffer {
  if (body === undefined || body === null) return '';
  return typeof body === 'string' ? body : Buffer.from(body as Uint8Array);
}

function requestText({ method, headers }: SdkRequest, path: string, body: string | Buffer): string {
  const shown = Object.entries(headers).filter(([name]) => /^(?:content-type|x-amz-target|x-amz-chime-bearer|smithy-protocol)$/.test(name));
  return [`${method} ${path}`, ...shown.map(([name, value]) => `${name}: ${value}`), '', textOf(headers['content-type'], body)].join('\n');
}

function responseText(status: number, headers: Readonly<Record<string, string>>, body: Buffer): string {
  const shown = HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  if (headers['x-belfry-authorization-message'] !== undefined) shown.push('x-belfry-authorization-message: present');
  return [String(status), ...shown, '', textOf(headers['content-type'], body)].join('\n');
}

/** Operations that list resources in the order of random IDs. The recording sorts the elements of these lists by their text. */
export const UNORDERED = new Set([
  'ListAccessKeys',
  'ListAccounts',
  'ListAccountsForParent',
  'ListAttendees',
  'ListChildren',
  'ListHandshakesForAccount',
  'ListHandshakesForOrganization',
  'ListAppInstances',
  'ListChannelFlows',
  'ListChannelMembershipsForAppInstanceUser',
  'ListChannels',
  'ListChannelsModeratedByAppInstanceUser',
  'ListCreateAccountStatus',
  'ListOrganizationalUnitsForParent',
  'ListPolicies',
  'ListPoliciesForTarget',
  'ListSipMediaApplications',
  'ListSipRules',
  'ListVoiceConnectorGroups',
  'ListVoiceConnectors',
  'ListVoiceProfileDomains',
  'SearchChannels',
]);

/**
 * Returns a response with the elements of its list sorted by their text, and equal elements by the numbers of their
 * placeholders. A new call changes these numbers, but not their order.
 */
export function inOrder(response: string): string {
  const keyOf = (text: string) => `${withoutNumbers(text)}\n${text.replace(/\d+›/g, (number) => number.padStart(8, '0'))}`;
  const byKey = (a: string, b: string) => (keyOf(a) < keyOf(b) ? -1 : 1);
  if (response.includes('<member>'))
    return response
      .split(/(?=<member>)|(?<=<\/member>)/)
      .sort(byKey)
      .join('');
  const at = response.indexOf('\n\n{') + 2;
  if (at < 2) return response;
  const body = JSON.parse(response.slice(at).replaceAll('‹epoch›', '0')) as Readonly<Record<string, unknown>>;
  const sorted = Object.entries(body).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.toSorted((a, b) => byKey(JSON.stringify(a), JSON.stringify(b))) : value,
  ]);
  return response.slice(0, at) + JSON.stringify(Object.fromEntries(sorted));
}

/** Reads a time in CBOR as its number of seconds. Source: RFC 8949, section 3.4.2, tag 1. */
const TIMES = { 1: (read: () => unknown) => read() };

/** Matches the region and the service of the last use of an access key in a credential report. */
const LAST_SERVICE = /(,[a-z]{2}-[a-z]+-\d,)[a-z-]+(?=,)/g;

/**
 * Returns a body as text. CBOR becomes JSON. A credential report is decoded from base64, without the
 * services that were last used. The server stores the last use at most once in 15 minutes, so the service depends on
 * the time of the run.
 */
function textOf(contentType: string | undefined, body: string | Buffer): string {
  if (contentType === 'application/cbor') return body.length === 0 ? '' : JSON.stringify(decode(Buffer.from(body), { tags: TIMES }));
  return body.toString().replace(/<Content>([A-Za-z0-9+/=]+)</, (_, report: string) => {
    return `<Content>${Buffer.from(report, 'base64').toString().replace(LAST_SERVICE, '$1‹service›')}<`;
  });
}
