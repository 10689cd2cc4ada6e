import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import type { ServiceName } from '#model/services.ts';
import { askControl } from '#server/operator/control.ts';
import type { TestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';
import { caller, type Outcome } from '../sdk/every-operation.ts';
import { newNormalizer } from './normalize.ts';

/** One request with its response and its trail record, without what differs between runs. */
export interface Exchange {
  /** `iam CreateUser as admin`. */
  readonly title: string;
  readonly request: string;
  readonly response: string;
  /** Absent if the request leaves no record. */
  record?: string;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The output of any operation: the scenarios read members that the compiler does not know. */
// biome-ignore lint/suspicious/noExplicitAny: one type for the outputs of every operation
export type AnyOutput = any;

/** How a request is sent: with the administrator's keys, with other keys, or without a signature. */
export type As = 'admin' | 'unsigned' | 'forged' | Keys;

export interface Recorder {
  readonly server: TestServer;
  readonly accountId: string;
  /** Calls an operation through the unmodified SDK client, and records what was sent and answered. */
  call(
    service: ServiceName,
    operation: string,
    input: object,
    as?: As,
    region?: string,
  ): Promise<Outcome & { readonly output?: AnyOutput; readonly authorizationMessage?: string }>;
  /** Like `call`. Throws if the operation does not succeed: for what later calls depend on. */
  ok(service: ServiceName, operation: string, input: object, as?: As, region?: string): Promise<AnyOutput>;
  /** Like `call`. `finish` throws unless the operation fails with this code. */
  fails(code: string, service: ServiceName, operation: string, input: object, as?: As, region?: string): Promise<void>;
  /** Creates a user with one inline policy of these statements. Resolves to its keys. */
  user(name: string, ...statements: readonly object[]): Promise<Keys>;
  /** Gives a value a name in the recording. */
  name(value: string, placeholder: string): void;
  /** Everything recorded, with the records of the trail. */
  finish(accounts: readonly Keys[], regions: readonly string[]): Promise<readonly Exchange[]>;
}

/** Headers that the server chooses; others belong to HTTP or differ in each run. */
const HEADERS = ['content-type', 'x-amzn-errortype', 'x-amz-apiversion', 'location', 'retry-after', 'www-authenticate'];

interface Captured {
  request: string;
  response: string;
  requestId: string | undefined;
  /** The sealed explanation of a denial. */
  authorizationMessage?: string | undefined;
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

/** An HTTP handler for SDK clients that keeps the last exchange as text. */
function capturing(captured: (exchange: Captured) => void) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig: () => {},
    destroy: () => {},
    handle: (sent: SdkRequest) =>
      new Promise<{ response: { statusCode: number; headers: Record<string, string>; body: Readable } }>((resolve, reject) => {
        const query = Object.entries(sent.query ?? {})
          .flatMap(([name, value]) =>
            (Array.isArray(value) ? value : [value]).map(
              (one) => `${encodeURIComponent(name)}${one === null ? '' : `=${encodeURIComponent(one)}`}`,
            ),
          )
          .join('&');
        const path = query === '' ? sent.path : `${sent.path}?${query}`;
        const body =
          sent.body === undefined || sent.body === null
            ? ''
            : typeof sent.body === 'string'
              ? sent.body
              : Buffer.from(sent.body as Uint8Array);
        const request = httpRequest(
          { host: sent.hostname, port: sent.port, method: sent.method, path, headers: sent.headers },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on('data', (chunk: Buffer) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () => {
              const bytes = Buffer.concat(chunks);
              const headers = answer.headers as Record<string, string>;
              captured({
                request: requestText(sent, path, body),
                response: responseText(answer.statusCode ?? 0, answer.headers, bytes),
                requestId: headers['x-amzn-requestid'],
                authorizationMessage: headers['x-belfry-authorization-message'],
              });
              resolve({ response: { statusCode: answer.statusCode ?? 0, headers, body: Readable.from([bytes]) } });
            });
          },
        );
        request.on('error', reject);
        request.end(body);
      }),
  };
}

function requestText({ method, headers }: SdkRequest, path: string, body: string | Buffer): string {
  const shown = Object.entries(headers).filter(([name]) => /^(?:content-type|x-amz-target|x-amz-chime-bearer|smithy-protocol)$/.test(name));
  return [`${method} ${path}`, ...shown.map(([name, value]) => `${name}: ${value}`), '', textOf(headers['content-type'], body)].join('\n');
}

function responseText(status: number, headers: IncomingHttpHeaders, body: Buffer): string {
  const shown = HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  if (headers['x-belfry-authorization-message'] !== undefined) shown.push('x-belfry-authorization-message: present');
  return [String(status), ...shown, '', textOf(headers['content-type'], body)].join('\n');
}

/** Operations that list in the order of random IDs. Their elements are recorded in the order of their text. */
const UNORDERED = new Set([
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
  'SearchChannels',
]);

function inOrder(response: string): string {
  if (response.includes('<member>'))
    return response
      .split(/(?=<member>)|(?<=<\/member>)/)
      .sort()
      .join('');
  const at = response.indexOf('\n\n{') + 2;
  if (at < 2) return response;
  const body = JSON.parse(response.slice(at).replaceAll('‹epoch›', '0')) as Readonly<Record<string, unknown>>;
  const sorted = Object.entries(body).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : value,
  ]);
  return response.slice(0, at) + JSON.stringify(Object.fromEntries(sorted));
}

/** CBOR is kept as hexadecimal digits, the credential report as its lines, and all else as text. */
function textOf(contentType: string | undefined, body: string | Buffer): string {
  if (contentType === 'application/cbor') return Buffer.from(body).toString('hex');
  return body.toString().replace(/<Content>([A-Za-z0-9+/=]+)</, (_, report: string) => `<Content>${Buffer.from(report, 'base64')}<`);
}

/** Starts to record what is called on a server. */
export function newRecorder(server: TestServer): Recorder {
  const accountId = server.accountId;
  const normalizer = newNormalizer();
  normalizer.name(new URL(server.endpoint).host, 'named host');
  normalizer.name(new URL(server.httpsEndpoint).host, 'named https host');
  const exchanges: (Captured & { title: string; normalRequest: string; normalResponse: string })[] = [];
  const unexpected: string[] = [];
  let last: Captured | undefined;
  const requestHandler = capturing((exchange) => {
    last = exchange;
  });
  const callers = new Map<string, ReturnType<typeof caller>>();

  function callerAs(service: ServiceName, as: As, region: string): ReturnType<typeof caller> {
    const key = `${service} ${region} ${typeof as === 'string' ? as : as.accessKeyId}`;
    const known = callers.get(key);
    if (known !== undefined) return known;
    const keys =
      as === 'admin' || as === 'unsigned'
        ? server.credentials
        : as === 'forged'
          ? { ...server.credentials, secretAccessKey: 'x'.repeat(40) }
          : as;
    const endpoint = service.startsWith('chime') ? `${server.endpoint}/_${service}` : server.endpoint;
    const settings = { ...server.client(keys), region, endpoint, requestHandler };
    const made = caller(service, as === 'unsigned' ? { ...settings, signer: { sign: async (request: unknown) => request } } : settings);
    callers.set(key, made);
    return made;
  }

  const recorder: Recorder = {
    server,
    accountId,
    async call(service, operation, input, as = 'admin', region = 'us-east-1') {
      last = undefined;
      const outcome = await callerAs(service, as, region)(operation, input);
      const sent: Captured | undefined = last;
      if (sent !== undefined) {
        const { request, response } = sent as Captured;
        const who = typeof as === 'string' ? as : 'other keys';
        const at = region === 'us-east-1' ? '' : ` in ${region}`;
        exchanges.push({
          ...(sent as Captured),
          title: `${service} ${operation} as ${who}${at}`,
          normalRequest: normalizer.text(request),
          normalResponse: UNORDERED.has(operation) ? inOrder(normalizer.text(response)) : normalizer.text(response),
        });
      }
      const message = (sent as Captured | undefined)?.authorizationMessage;
      return { ...outcome, ...(message !== undefined && { authorizationMessage: message }) };
    },
    async ok(service, operation, input, as, region) {
      const { code, message, output } = await recorder.call(service, operation, input, as, region);
      if (code !== 'ok') throw new Error(`${service} ${operation}: ${code}: ${message}`);
      return output;
    },
    async fails(code, service, operation, input, as, region) {
      const outcome = await recorder.call(service, operation, input, as, region);
      if (outcome.code !== code)
        unexpected.push(
          `${service} ${operation}: expected ${code}, got ${outcome.code}: ${outcome.message}\n  ${JSON.stringify(input).slice(0, 200)}`,
        );
    },
    async user(UserName, ...Statement) {
      await recorder.ok('iam', 'CreateUser', { UserName });
      if (Statement.length > 0) {
        const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
        await recorder.ok('iam', 'PutUserPolicy', { UserName, PolicyName: 'inline', PolicyDocument });
      }
      const { AccessKey } = await recorder.ok('iam', 'CreateAccessKey', { UserName });
      return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    },
    name: (value, placeholder) => normalizer.name(value, `named ${placeholder}`),
    async finish(accounts, regions) {
      if (unexpected.length > 0) throw new Error(`calls did not fail as expected:\n${unexpected.join('\n')}`);
      const records = new Map<string, string[]>();
      for (const keys of accounts) {
        for (const region of regions) {
          for (const { document } of await everyEvent(new CloudTrailClient({ ...server.client(keys), region }))) {
            records.set(document.requestID, [...(records.get(document.requestID) ?? []), JSON.stringify(document)]);
          }
        }
      }
      // Records that no account can look up: the control socket returns them.
      let before: string | undefined;
      do {
        const reply = await askControl(server.dataFolder, {
          command: 'trail unproven',
          limit: 100,
          ...(before !== undefined && { before }),
        });
        if (!reply.ok) throw new Error(reply.error);
        for (const record of reply.records ?? []) {
          const { requestID } = JSON.parse(record) as { readonly requestID: string };
          records.set(requestID, [...(records.get(requestID) ?? []), record]);
        }
        before = reply.next;
      } while (before !== undefined);
      return exchanges.map(({ title, normalRequest, normalResponse, requestId }) => {
        const found = requestId === undefined ? undefined : records.get(requestId);
        return {
          title,
          request: normalRequest,
          response: normalResponse,
          ...(found && { record: found.map((each) => normalizer.text(each)).join('\n') }),
        };
      });
    },
  };
  return recorder;
}
