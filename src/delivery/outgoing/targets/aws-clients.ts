/** Clients of AWS's services for endpoints of the operator. The code of a client is loaded with its first message. */
import { Readable } from 'node:stream';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { LexRuntimeV2Client } from '@aws-sdk/client-lex-runtime-v2';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type LruMap, lruMap } from '#core/lru-map.ts';
import { connections } from '../../targets/connections.ts';
import { guardedHandler } from '../../targets/guarded-handler.ts';

/** Address and credentials of a service. */
export interface ServiceEndpoint {
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly allowInternal: boolean;
}

interface Clients {
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly lambda: LambdaClient;
  readonly kinesis: KinesisClient;
  readonly lex: LexRuntimeV2Client;
}

/** Longest time of one exchange. */
const REQUEST_MS = 10_000;
/** Longest response. Source: Lambda quotas, 6 MB of a synchronous response. Other services respond with less. */
const RESPONSE_MAX_BYTES = 2 ** 23;
/** Most open clients. All clients share their connections. */
const CLIENTS_MAX = 64;

const CONSTRUCTORS = {
  sqs: async () => (await import('@aws-sdk/client-sqs')).SQSClient,
  sns: async () => (await import('@aws-sdk/client-sns')).SNSClient,
  lambda: async () => (await import('@aws-sdk/client-lambda')).LambdaClient,
  kinesis: async () => (await import('@aws-sdk/client-kinesis')).KinesisClient,
  lex: async () => (await import('@aws-sdk/client-lex-runtime-v2')).LexRuntimeV2Client,
} as const;

export interface AwsClients {
  /** Returns the client of a service for an endpoint. Each request of it is one exchange, without retries. */
  of<Service extends keyof Clients>(service: Service, endpoint: ServiceEndpoint): Promise<Clients[Service]>;
}

/** Creates the clients of a server. */
export function awsClients(): AwsClients {
  const opened: LruMap<string, Clients[keyof Clients]> = lruMap(CLIENTS_MAX);
  const kept = connections('kept');
  return {
    async of<Service extends keyof Clients>(service: Service, endpoint: ServiceEndpoint): Promise<Clients[Service]> {
      const key = JSON.stringify([service, endpoint]);
      const found = opened.get(key);
      if (found !== undefined) return found as Clients[Service];
      const { url, region, accessKeyId, secretAccessKey, allowInternal } = endpoint;
      const handler = guardedHandler({ allowInternal, timeoutMs: REQUEST_MS, maxBytes: RESPONSE_MAX_BYTES, connections: kept });
      const Client = await CONSTRUCTORS[service]();
      const client = new Client({
        endpoint: url,
        region,
        credentials: { accessKeyId, secretAccessKey },
        maxAttempts: 1,
        requestHandler: service === 'lex' ? streaming(handler) : handler,
        // Otherwise the client sends to the host of the queue's URL.
        ...(service === 'sqs' && { useQueueUrlAsEndpoint: false }),
      }) as Clients[Service];
      opened.set(key, client);
      return client;
    },
  };
}

/** Returns a handler whose bodies are streams. The client of Lex returns the body of PutSession as a stream. */
function streaming(handler: ReturnType<typeof guardedHandler>) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: Parameters<typeof handler.handle>[0]) {
      const { response } = await handler.handle(request);
      return { response: { ...response, body: Readable.from([response.body]) } };
    },
  };
}
