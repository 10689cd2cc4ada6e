/** Receives the body of a request, passes the request to the core, and responds. */
import { preflightAnswer } from './cors.ts';
import { receiveBody } from './receive-body.ts';
import { type Accepted, NO_BODY, type ReceiveParts, receivedOf, respond } from './respond.ts';
import { UNREADABLE } from './unreadable.ts';
import { needsAdmission, receiveUpload } from './upload.ts';

/** Reads the body of a request and responds. */
export function receive(accepted: Accepted, parts: ReceiveParts): void {
  const { request, client, load, refuse } = accepted;
  const answer = parts.probe(request.method ?? 'GET', request.url ?? '/', request.rawHeaders) ?? preflightAnswer(request);
  if (answer !== undefined) {
    // Health probes and CORS preflights do not pass through the core's queue, so they are limited here. Many of them in
    // one read would delay all other connections.
    if (load.connection.requests >= parts.limits.requestsOfConnectionMax) {
      refuse(UNREADABLE.load);
      return;
    }
    request.resume();
    respond(accepted, parts, () => Promise.resolve(answer));
    return;
  }
  if (needsAdmission(request)) {
    receiveUpload(accepted, parts);
    return;
  }
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) {
    respond(accepted, parts, () => parts.answer(receivedOf(request, client, NO_BODY)));
    return;
  }
  receiveBody(accepted, parts);
}
