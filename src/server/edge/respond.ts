/** Responds to requests: parts and functions that buffered and streamed requests share. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received, StoredRange } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { BodyRefusal, CoreAnswer } from '../core/core-batches.ts';
import type { Bodies } from '../object-files.ts';
import type { Client } from './client.ts';
import type { Connections } from './connections.ts';
import { corsHeaders } from './cors.ts';
import { lengthOf, openRange, sendRange } from './download.ts';
import type { HoldingLimits, Load } from './holdings.ts';
import { checkProgress, STREAM_BYTES, type TransferLimits } from './transfer-limits.ts';
import { UNREADABLE, type Unreadable } from './unreadable.ts';

/** Parts that answer a request. */
export interface ReceiveParts {
  readonly bodyMaxBytes: number;
  readonly answer: (received: Received) => Promise<Answer>;
  /** Formats the error of a request whose body is not read. */
  readonly refuse: (received: Received, code: 'RequestTooLarge') => Promise<Answer>;
  /** Answers a health probe without the core. Undefined for any other request. */
  readonly probe: (method: string, target: string, rawHeaders: readonly string[]) => Answer | undefined;
  /** Connections of all listeners, with common limits. */
  readonly connections: Connections;
  readonly limits: HoldingLimits;
  /** Sends the head of a request to the core, which decides how the body is read. */
  readonly admit: (head: Received) => Promise<CoreAnswer>;
  /** Answers a request whose body was read and refused. */
  readonly refuseBody: (head: Received, refusal: BodyRefusal) => Promise<Answer>;
  /** Contents of objects. */
  readonly bodies: Bodies;
  readonly transferLimits: TransferLimits;
  /** Logs an error of the disk, or of the object service. */
  readonly reportBody: (requestId: string, error: unknown) => void;
}

/** A request whose head was accepted. `refuse` responds with an error and ends the connection. */
export interface Accepted {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly load: Load;
  readonly refuse: (why: Unreadable) => void;
  /** Whether the client waits for `100 Continue`, which the server has not sent yet. */
  readonly expectsContinue: boolean;
}

/**
 * The server reads the rest of a refused body and drops it, so that the client can use the connection again. It closes
 * the connection if the body is larger than `bodyMaxBytes` multiplied by this factor.
 */
export const DRAIN_FACTOR = 8;
/** Empty body, for requests that have no body and for requests whose body is not read. */
export const NO_BODY = new Uint8Array(0);

/** Converts a request of Node's HTTP server to the form that the core reads. */
export function receivedOf(request: IncomingMessage, client: Client, body: Uint8Array): Received {
  return {
    requestId: randomUUID(),
    receivedAt: instant(Date.now()),
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    rawHeaders: request.rawHeaders,
    body,
    ...client,
  };
}

/**
 * Reads the rest of a refused body and drops it, up to a limit, so that the client can use the connection again. A rest that arrives too
 * slowly ends the connection. With `closes`, the server closes the connection after the response.
 */
export function drain({ request, response }: Accepted, { bodyMaxBytes, transferLimits }: ReceiveParts, closes: boolean): void {
  if (closes) response.setHeader('connection', 'close');
  if (request.readableEnded) return;
  let size = 0;
  const stop = () => stopAfterResponse(request, response);
  // Node reports the time limit of a request only once, which may have been while the body was an upload.
  const progress = checkProgress(transferLimits, stop);
  request.on('error', () => undefined);
  for (const event of ['end', 'close']) request.once(event, progress.stop);
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    progress.moved(chunk.length);
    if (size > bodyMaxBytes * DRAIN_FACTOR) stop();
  });
}

/** Closes the connection once the response was sent. */
export function stopAfterResponse(request: IncomingMessage, response: ServerResponse): void {
  request.pause();
  if (response.writableFinished) request.destroy();
  else response.once('finish', () => request.destroy());
}

/**
 * Responds with the answer that `ask` returns. Refuses the request if too many requests of its source already wait, and returns false. Then
 * it has not called `ask`.
 */
export function respond(accepted: Accepted, parts: ReceiveParts, ask: () => Promise<Answer>): boolean {
  const { response, load, refuse } = accepted;
  const { connections } = parts;
  if (!connections.wait(load)) {
    refuse(UNREADABLE.load);
    return false;
  }
  ask()
    .then(async (answer) => {
      connections.settle(load);
      if (load.closed || response.destroyed) return;
      if (answer.file === undefined) send(accepted, parts, answer);
      else await sendFile(accepted, parts, answer, answer.file);
    })
    .catch(() => {
      connections.settle(load);
      response.destroy();
    });
  return true;
}

function send({ request, response, load }: Accepted, { connections }: ReceiveParts, { status, headers, body }: Answer): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  connections.charge(load, length);
  writeHead(request, response, { status, headers }, length);
  response.end(request.method === 'HEAD' ? undefined : body);
  load.respondedAt = performance.now();
}

/** Sends stored bytes. Only the pieces that are being sent are in memory. */
async function sendFile(accepted: Accepted, parts: ReceiveParts, answer: Answer, file: StoredRange): Promise<void> {
  const { request, response, load } = accepted;
  if (!parts.connections.hold(load, STREAM_BYTES)) {
    accepted.refuse(UNREADABLE.load);
    return;
  }
  const bytes = await openRange(parts.bodies, file).catch((error: unknown) => {
    refuseFile(accepted, parts, error);
  });
  if (bytes === undefined) return;
  if (load.closed || response.destroyed) {
    await bytes[Symbol.asyncIterator]().return?.();
    return;
  }
  writeHead(request, response, answer, lengthOf(file));
  await sendRange(response, bytes, parts.transferLimits);
  load.respondedAt = performance.now();
}

/** Responds to a request whose stored bytes cannot be read. */
function refuseFile(accepted: Accepted, parts: ReceiveParts, error: unknown): void {
  const { request, client, load } = accepted;
  if (!parts.connections.readOn(load)) return;
  const head = receivedOf(request, client, NO_BODY);
  const { code, message, members } = error instanceof AwsError ? error : new AwsError('InternalFailure', READING_FAILED);
  if (!(error instanceof AwsError)) parts.reportBody(head.requestId, error);
  respond(accepted, parts, () => parts.refuseBody(head, { code, message, members }));
}

const READING_FAILED = 'The server could not read the object. Please retry.';

function writeHead(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  length: number,
) {
  const all = [...headers, ...corsHeaders(request)];
  // RFC 9110 §8.6 and §15.4.5: a response with status 204 has no Content-Length, and one with status 304 needs none. A response to HEAD
  // states the length of the object.
  const isComplete = status === 204 || status === 304 || headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length');
  response.writeHead(status, isComplete ? all : [...all, 'content-length', String(length)]);
}
