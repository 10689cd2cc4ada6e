import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { decode } from '#wire/decode.ts';
import { encode, encodeError } from '#wire/encode.ts';
import { route } from '#wire/route.ts';
import type { Routed } from '#wire/routed.ts';

/** Request as decoded by the server. */
export interface DecodedRequest {
  readonly service: string;
  readonly operation: string;
  readonly protocol: string;
  readonly profile: string;
  readonly gzip: boolean;
  readonly input: Record<string, unknown>;
}

/** Server that only decodes requests and encodes responses. It returns the response set by the test. */
export interface BareServer {
  readonly url: string;
  /** Decoded requests, in the order of arrival. */
  readonly requests: DecodedRequest[];
  /** Output or AwsError for the next responses. */
  response: unknown;
  readonly close: () => Promise<void>;
}

/** Starts the server on a free port of the loopback address. */
export async function startBareServer(): Promise<BareServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received: Received = {
        requestId: '6e61a3c4-0f0e-4a8e-9c0e-1d2c3b4a5f60',
        receivedAt: instant(Date.now()),
        method: request.method ?? '',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
        sourceIp: '127.0.0.1',
      };
      const answer = respond(received);
      response.writeHead(answer.status, answer.headers as string[]);
      response.end(answer.body);
    });
  });

  function respond(received: Received): Answer {
    const routed = route(received, { guide2021: false });
    if (routed.kind === 'refused') return encodeError(routed, routed.error, received.requestId);
    try {
      bare.requests.push({ ...summary(routed), input: decode(routed, received) });
      if (bare.response instanceof AwsError) throw bare.response;
      return encode(routed, bare.response, received.requestId);
    } catch (error) {
      if (error instanceof AwsError) return encodeError(routed, error, received.requestId);
      throw error;
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bare: BareServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    response: {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return bare;
}

function summary(routed: Routed): Omit<DecodedRequest, 'input'> {
  const { service, operation, protocol, profile, contentEncoding } = routed;
  return { service, operation: operation.name, protocol, profile, gzip: contentEncoding === 'gzip' };
}
