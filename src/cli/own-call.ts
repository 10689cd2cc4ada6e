/** Signed calls of own operations, which no client of AWS has. */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { instant } from '#core/instant.ts';
import type { OperationModel } from '#model/model.ts';
import { SERVICES, type ServiceName } from '#model/services.ts';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';

/** Flags that name the server and the profile with the credentials. */
export const ENDPOINT: Flag = { flag: '--endpoint', valid: 'the URL of the server' };
export const PROFILE: Flag = { flag: '--profile', valid: 'the name of a profile' };
const REGION = 'us-east-1';
/** Longest time of a call, and longest response in bytes. */
const CALL_MS = 60_000;
const RESPONSE_MAX_BYTES = 16_777_216;

/** Server and caller of an operation. */
export interface Caller {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** File with the authorities that the caller trusts for an https endpoint, besides the usual ones. */
  readonly caFile?: string;
}

/** Response of a call, decoded from JSON. */
export interface CallResponse {
  readonly status: number;
  /** Name of the error, if the call failed. */
  readonly code?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls an own operation of a service with its input as JSON. */
export async function callOwn(
  caller: Caller,
  service: ServiceName,
  { http }: Pick<OperationModel, 'http'>,
  input: object,
): Promise<CallResponse> {
  const url = new URL(caller.endpoint);
  const path = `${url.pathname.replace(/\/$/, '')}${http.uri}`;
  const body = JSON.stringify(input);
  const plain = { host: url.host, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const { region, credentials, caFile } = caller;
  const headers = sign(
    { method: http.method, target: path, headers: plain, body },
    { credentials, region, signingName: SERVICES[service].signingName, now: instant(Date.now()) },
  );
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(url.port !== '' && { port: Number(url.port) }),
      ...{ method: http.method, path, headers, agent: false, signal: AbortSignal.timeout(CALL_MS) },
      ...(caFile !== undefined && { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] }),
    });
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end(body);
  });
  const text = await textOf(response);
  const decoded = (text === '' ? {} : JSON.parse(text)) as CallResponse['body'];
  const status = response.statusCode ?? 0;
  const code = String(response.headers['x-amzn-errortype'] ?? 'UnknownError').replace(/:.*$/, '');
  return { status, body: decoded, ...(status >= 400 && { code }) };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_MAX_BYTES) throw new Error(`the response has more than ${RESPONSE_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Returns the server and the caller as the AWS CLI finds them: credentials of the environment or of a profile; endpoint, region and authorities of
 * the environment or of the profile. `variable` is the environment variable with the endpoint of the service.
 *
 * @throws FlagError  no endpoint is set
 */
export async function callerOf({ values }: ParsedFlags, variable: string): Promise<Caller> {
  const [{ defaultProvider }, { loadSharedConfigFiles }] = await Promise.all([
    import('@aws-sdk/credential-provider-node'),
    import('@smithy/core/config'),
  ]);
  const { env } = process;
  const chosen = values.get(PROFILE.flag);
  const { configFile } = await loadSharedConfigFiles();
  const profile = configFile[chosen ?? env['AWS_PROFILE'] ?? 'default'] ?? {};
  const endpoint = values.get(ENDPOINT.flag) ?? env[variable] ?? env['AWS_ENDPOINT_URL'] ?? profile['endpoint_url'];
  if (endpoint === undefined || URL.parse(endpoint) === null)
    throw new FlagError('no endpoint: set --endpoint, AWS_ENDPOINT_URL, or endpoint_url in the profile');
  const { accessKeyId, secretAccessKey, sessionToken } = await defaultProvider(chosen === undefined ? {} : { profile: chosen })();
  const caFile = env['AWS_CA_BUNDLE'] ?? profile['ca_bundle'];
  return {
    endpoint,
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? profile['region'] ?? REGION,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    ...(caFile !== undefined && { caFile }),
  };
}
