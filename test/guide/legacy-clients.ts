/** Clients of the AWS SDK for JavaScript v2, of Amazon Chime with the operations that AWS removed from it, and of Chime SDK Voice. */
import { createRequire } from 'node:module';
import type { Keys } from '../kit/keys.ts';

/** The parts of SDK v2 that the tests use. Its own declarations have 20 MB and slow down the compiler. */
export interface LegacyChime {
  makeRequest(operation: string, input: object): LegacyRequest;
  endpoint: unknown;
}
interface LegacyRequest {
  promise(): Promise<Readonly<Record<string, unknown>>>;
  readonly response: {
    readonly requestId?: string;
    readonly httpResponse: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  };
}
type ClientClass = new (settings: object) => LegacyChime;
interface SdkV2 {
  readonly Endpoint: new (url: string) => unknown;
}

const require = createRequire(import.meta.url);
process.env['AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE'] = '1';
const Chime = require('aws-sdk/clients/chime') as ClientClass;
const { Endpoint } = require('aws-sdk/lib/core') as SdkV2;

/**
 * Returns a client of Amazon Chime. `path` is the base path on the server. Without `hostPrefixEnabled: false` the client would put `identity-`
 * and `messaging-` before the host name, which an address does not have.
 */
export function legacyChime(endpoint: string, keys: Keys, path = '/_chime'): LegacyChime {
  return clientOf(Chime, `${endpoint}${path}`, keys, { hostPrefixEnabled: false });
}

/** Returns a client of Chime SDK Voice. */
export function legacyVoice(endpoint: string, keys: Keys, region = 'us-east-1'): LegacyChime {
  return clientOf(require('aws-sdk/clients/chimesdkvoice') as ClientClass, `${endpoint}/_chime-sdk-voice`, keys, { region });
}

function clientOf(Client: ClientClass, url: string, { accessKeyId, secretAccessKey, sessionToken }: Keys, more: object): LegacyChime {
  const client = new Client({
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxRetries: 0,
    ...more,
  });
  client.endpoint = new Endpoint(url);
  return client;
}

/** Result of a call with SDK v2. */
export interface LegacyOutcome {
  /** `ok`, or the name of the error in the header of the response. */
  readonly code: string;
  /** Code of the error in the client: `NotFound`. Undefined without an error. */
  readonly clientCode?: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly output: Readonly<Record<string, unknown>>;
}

/** Calls an operation: `callLegacy(client, 'CreateMeeting', { … })`. Returns an error as its outcome. */
export async function callLegacy(client: LegacyChime, operation: string, input: object): Promise<LegacyOutcome> {
  const request = client.makeRequest(`${operation.charAt(0).toLowerCase()}${operation.slice(1)}`, input);
  try {
    const { $response: _, ...output } = await request.promise();
    const { requestId, httpResponse } = request.response;
    return { code: 'ok', message: '', status: httpResponse.statusCode, requestId, output };
  } catch (error) {
    const { code, message, requestId } = error as Error & { readonly code: string; readonly requestId?: string };
    const { statusCode, headers } = request.response.httpResponse;
    return { code: headers?.['x-amzn-errortype'] ?? code, clientCode: code, message, status: statusCode, requestId, output: {} };
  }
}
