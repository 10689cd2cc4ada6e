import { parseArn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import type { ServiceName } from '#model/services.ts';
import type { RawPair } from './routed.ts';

/** Maximum size of a body that is parsed before its signature is verified. A body with tags is small. */
const PEEK_MAX_BYTES = 65_536;

/**
 * Services by the first part of the resource in a Chime ARN. `app-instance` is not in the table, because two services
 * have ARNs with this part (see `serviceOfTags`).
 */
// biome-ignore format: a table
const BY_RESOURCE_TYPE: ReadonlyMap<string, ServiceName> = new Map<string, ServiceName>([
  ['meeting',                                 'chime-sdk-meetings'],
  ['media-pipeline',                          'chime-sdk-media-pipelines'],
  ['media-insights-pipeline-configuration',   'chime-sdk-media-pipelines'],
  ['media-pipeline-kinesis-video-stream-pool','chime-sdk-media-pipelines'],
  ['vc',                                      'chime-sdk-voice'],
  ['vcg',                                     'chime-sdk-voice'],
  ['sma',                                     'chime-sdk-voice'],
  ['voice-profile',                           'chime-sdk-voice'],
  ['voice-profile-domain',                    'chime-sdk-voice'],
]);

/**
 * Returns the service of a `/tags` request by the ARN in the request. Returns `undefined` if the request has no ARN, or
 * one of an unknown type.
 *
 * Five services have the same three `/tags` routes, and requests of botocore do not name the service.
 *
 * Source: service authorization reference of Amazon Chime, ARN formats.
 * Assumed: tags of an app instance, its users and bots belong to chime-sdk-identity. Tags of channels and channel flows belong to
 * chime-sdk-messaging.
 */
export function serviceOfTags(received: Received, query: readonly RawPair[], contentEncoding: string | undefined): ServiceName | undefined {
  const text = query.find(([name]) => name === 'arn')?.[1] ?? (contentEncoding === undefined ? resourceOfBody(received.body) : undefined);
  return text === undefined ? undefined : serviceOfTaggedArn(text.includes('%') ? decodeLeniently(text) : text);
}

/** Returns the service that has the tags of a resource of Chime, or `undefined` for an ARN of an unknown type. */
export function serviceOfTaggedArn(arn: string): ServiceName | undefined {
  const resource = parseArn(arn)?.resource;
  if (resource === undefined) return undefined;
  const [type = '', , child] = resource.split('/', 3);
  if (type === 'app-instance') return child === 'channel' || child === 'channel-flow' ? 'chime-sdk-messaging' : 'chime-sdk-identity';
  return BY_RESOURCE_TYPE.get(type.includes(':') ? type.slice(0, type.indexOf(':')) : type);
}

function resourceOfBody(body: Uint8Array): string | undefined {
  if (body.byteLength > PEEK_MAX_BYTES) return undefined;
  try {
    const document: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    if (typeof document !== 'object' || document === null || !('ResourceARN' in document)) return undefined;
    return typeof document.ResourceARN === 'string' ? document.ResourceARN : undefined;
  } catch {
    // `decode` reports the error after the signature has been verified.
    return undefined;
  }
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
