/** HTTP server on loopback that speaks just enough of SQS, SNS, Lambda, Kinesis and Lex for AWS's clients, and can fail on demand. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { gzipSync } from 'node:zlib';

/** Request that a receiver got. */
export interface Received {
  /** `SendMessage`, `Publish`, `Invoke`, `PutRecord`, `RecognizeText`, `PutSession`, or the method and path of another request. */
  readonly operation: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Body as the sender wrote it. */
  readonly body: string;
  /** Message in the body, without the protocol of its service. */
  readonly message: string;
  /** Members of a JSON body or form. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** Response to a request. `undefined`: success. `'hang'`: none. */
export type Reply =
  | undefined
  | 'hang'
  | { readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Sets the response to the next requests. */
  reply(to: (request: Received) => Reply): void;
  /** Responds to the requests without a response. */
  release(reply?: Exclude<Reply, 'hang'>): void;
  close(): Promise<void>;
}

/** Private key and certificate of a receiver, for the host name `localhost`. */
export interface ReceiverTls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

/** Starts a receiver on a free port, and closes it after the tests of the file. With `tls`, it is an HTTPS server. */
export async function startReceiver(tls?: ReceiverTls): Promise<Receiver> {
  const received: Received[] = [];
  let reply: (request: Received) => Reply = () => undefined;
  const hanging = new Set<(reply: Exclude<Reply, 'hang'>) => void>();
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const parsed = parse(`${request.method}`, request.url ?? '', request.headers, Buffer.concat(chunks).toString('utf8'));
    received.push(parsed);
    const wanted = reply(parsed);
    if (wanted === 'hang') hanging.add((later) => respond(response, parsed, later));
    else respond(response, parsed, wanted);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  after(close);
  return {
    url: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${(server.address() as AddressInfo).port}`,
    received,
    reply(to) {
      reply = to;
    },
    release(to) {
      for (const release of hanging) release(to);
      hanging.clear();
    },
    close,
  };
}

function parse(method: string, path: string, headers: IncomingHttpHeaders, body: string): Received {
  const target = String(headers['x-amz-target'] ?? '');
  const common = { path, headers, body };
  if (target !== '') {
    const members = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const data = members['Data'] === undefined ? undefined : Buffer.from(String(members['Data']), 'base64').toString('utf8');
    return { ...common, operation: target.split('.')[1] ?? '', message: String(members['MessageBody'] ?? data ?? ''), members };
  }
  if (/^\/bots\/.*\/sessions\//.test(path)) {
    const members = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return {
      ...common,
      operation: path.endsWith('/text') ? 'RecognizeText' : 'PutSession',
      message: String(members['text'] ?? ''),
      members,
    };
  }
  if (/\/invocations$/.test(path)) return { ...common, operation: 'Invoke', message: body, members: {} };
  if (String(headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
    const members = Object.fromEntries(new URLSearchParams(body));
    return { ...common, operation: members['Action'] ?? `${method} ${path}`, message: members['Message'] ?? '', members };
  }
  return { ...common, operation: `${method} ${path}`, message: body, members: {} };
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Returns the answer of a bot of Lex with one message. */
export function lexAnswer(content: string) {
  return {
    messages: [{ content, contentType: 'PlainText' }],
    sessionState: { intent: { name: 'Echo', state: 'Fulfilled' } },
    sessionId: 'session',
  };
}

function respond(response: ServerResponse, request: Received, reply: Exclude<Reply, 'hang'>): void {
  const isQuery = request.operation === 'Publish';
  if (reply !== undefined) {
    const code = reply.code ?? 'InternalFailure';
    const error = isQuery
      ? `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`
      : JSON.stringify({ __type: code, message: 'no' });
    response.writeHead(reply.status, { 'x-amzn-errortype': code, ...reply.headers });
    response.end(reply.body ?? error);
    return;
  }
  const json = { 'content-type': 'application/x-amz-json-1.0' };
  switch (request.operation) {
    case 'SendMessage':
      response.writeHead(200, json).end(JSON.stringify({ MessageId: 'id', MD5OfMessageBody: md5(request.message) }));
      return;
    case 'PutRecord':
      response.writeHead(200, json).end(JSON.stringify({ ShardId: 'shardId-000000000000', SequenceNumber: '1' }));
      return;
    case 'Publish':
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end('<PublishResponse><PublishResult><MessageId>id</MessageId></PublishResult></PublishResponse>');
      return;
    case 'RecognizeText':
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(lexAnswer(`You said ${request.message}`)));
      return;
    case 'PutSession': {
      const { messages, sessionState } = lexAnswer('Welcome');
      const encoded = (value: object): string => gzipSync(JSON.stringify(value)).toString('base64');
      response.writeHead(200, { 'x-amz-lex-messages': encoded(messages), 'x-amz-lex-session-state': encoded(sessionState) }).end('Welcome');
      return;
    }
    case 'Invoke':
      response.writeHead(request.headers['x-amz-invocation-type'] === 'Event' ? 202 : 200).end('');
      return;
    default:
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }
}
