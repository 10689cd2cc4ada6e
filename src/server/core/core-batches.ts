/**
 * Requests and answers between the main thread and the core's thread, and their batches. A batch is one flat list, because Node copies a flat
 * list of strings and numbers in about half the time of a list of objects.
 */
import type { Answer, Received } from '#core/exchange.ts';
import type { BodyPlan } from './body-plan.ts';
import type { RequestTrace } from './phases.ts';

/** Error of a request that the main thread found while it read the body. */
export type BodyRefusal =
  | 'RequestTooLarge'
  | { readonly code: string; readonly message: string; readonly members: Readonly<Record<string, unknown>> };

/**
 * Decision of the core about the head of a request. A plan: the main thread reads and stores the body as the plan says, and then sends the
 * request with `stored`. `buffer`: it reads the body and sends the whole request, as for every other request.
 */
export type Admission = BodyPlan | 'buffer';

/**
 * Request to the core. `refuse`: the error of a request whose body was not read or not accepted. `admit`: only the head of a request, whose
 * response has the member `admission`. `socket`: the number of a socket that
 * waits for a messaging session. If the answer has status 101, the main thread may open the socket. It then sends the
 * socket's events as `SocketNews`.
 */
export type CoreRequest = {
  readonly received: Received;
  readonly refuse?: BodyRefusal | undefined;
  readonly socket?: number | undefined;
  readonly admit?: true | undefined;
};

/**
 * Answer to a request. If `admission` is present, the request had `admit`, and the answer is not for the client. `trace` is present if the
 * server sends traces.
 */
export type CoreAnswer = Answer & { readonly admission?: Admission | undefined; readonly trace?: RequestTrace | undefined };

/** Requests, one after the other: `REQUEST_PLACES` values, of which the last one is the number of the header strings that follow. */
export type RequestBatch = readonly unknown[];
/** Answers, one after the other: `ANSWER_PLACES` values, of which the last one is the number of the header strings that follow. */
export type AnswerBatch = readonly unknown[];

const REQUEST_PLACES = 14;
const ANSWER_PLACES = 7;

/** Type with all members, so that the compiler reports a member that a batch omits. */
type Whole<T> = { readonly [Member in keyof Required<T>]: T[Member] };

const NO_BODY = new Uint8Array(0);

/** Adds a request to a batch. */
export function addRequest(batch: unknown[], id: number, { received, refuse, socket, admit }: CoreRequest): void {
  const { requestId, receivedAt, method, target, sourceIp, secureTransport, tls, body, stored, rawHeaders } = received;
  // A list of bytes takes as long to copy as several strings, even if it is empty.
  const content = body.length === 0 ? undefined : body;
  batch.push(id, refuse, socket, admit, requestId, receivedAt, method, target, sourceIp, secureTransport, tls, content, stored);
  batch.push(rawHeaders.length, ...rawHeaders);
}

/** Calls a function for each request of a batch, in order. */
export function eachRequest(batch: RequestBatch, use: (id: number, request: CoreRequest) => void): void {
  for (let at = 0; at < batch.length; ) {
    const headersAt = at + REQUEST_PLACES;
    const end = headersAt + (batch[headersAt - 1] as number);
    const received: Whole<Received> = {
      requestId: batch[at + 4] as string,
      receivedAt: batch[at + 5] as Received['receivedAt'],
      method: batch[at + 6] as string,
      target: batch[at + 7] as string,
      sourceIp: batch[at + 8] as string,
      secureTransport: batch[at + 9] as Received['secureTransport'],
      tls: batch[at + 10] as Received['tls'],
      body: (batch[at + 11] as Uint8Array | undefined) ?? NO_BODY,
      stored: batch[at + 12] as Received['stored'],
      rawHeaders: batch.slice(headersAt, end) as string[],
    };
    const request: Whole<CoreRequest> = {
      received,
      refuse: batch[at + 1] as CoreRequest['refuse'],
      socket: batch[at + 2] as CoreRequest['socket'],
      admit: batch[at + 3] as CoreRequest['admit'],
    };
    use(batch[at] as number, request);
    at = end;
  }
}

/** Adds an answer to a batch. */
export function addAnswer(batch: unknown[], id: number, { status, body, file, admission, trace, headers }: CoreAnswer): void {
  batch.push(id, status, body, file, admission, trace, headers.length, ...headers);
}

/** Calls a function for each answer of a batch, in order. */
export function eachAnswer(batch: AnswerBatch, use: (id: number, answer: CoreAnswer) => void): void {
  for (let at = 0; at < batch.length; ) {
    const headersAt = at + ANSWER_PLACES;
    const end = headersAt + (batch[headersAt - 1] as number);
    const answer: Whole<CoreAnswer> = {
      status: batch[at + 1] as number,
      body: batch[at + 2] as CoreAnswer['body'],
      file: batch[at + 3] as CoreAnswer['file'],
      admission: batch[at + 4] as CoreAnswer['admission'],
      trace: batch[at + 5] as CoreAnswer['trace'],
      headers: batch.slice(headersAt, end) as string[],
    };
    use(batch[at] as number, answer);
    at = end;
  }
}
