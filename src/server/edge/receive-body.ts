/** Requests whose whole body is held in memory. */
import { type Accepted, DRAIN_FACTOR, NO_BODY, type ReceiveParts, receivedOf, respond, stopAfterResponse } from './respond.ts';
import { UNREADABLE } from './unreadable.ts';

/** Memory that each chunk of a body uses in addition to its content, in bytes. A client can send pieces of one byte. */
const CHUNK_BYTES = 256;
/** Reads the whole body into memory, and responds. */
export function receiveBody(accepted: Accepted, parts: ReceiveParts): void {
  const { request, response, client, load, refuse } = accepted;
  const { connections, bodyMaxBytes } = parts;
  // A request whose body is too large gets no 100 response.
  if (accepted.expectsContinue && Number(request.headers['content-length'] ?? 0) <= bodyMaxBytes) response.writeContinue();
  let size = 0;
  let refused = false;
  const chunks: Buffer[] = [];
  load.onDrop = () => {
    refused = true;
    chunks.length = 0;
  };
  const tooLarge = () => {
    connections.drop(load);
    respond(accepted, parts, () => parts.refuse(receivedOf(request, client, NO_BODY), 'RequestTooLarge'));
  };
  if (Number(request.headers['content-length']) > bodyMaxBytes) tooLarge();
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (!refused && size > bodyMaxBytes) tooLarge();
    if (!refused && !connections.hold(load, CHUNK_BYTES + chunk.length)) {
      connections.drop(load);
      refuse(UNREADABLE.load);
    }
    if (!refused) chunks.push(chunk);
    else if (size > bodyMaxBytes * DRAIN_FACTOR) stopAfterResponse(request, response);
  });
  request.on('end', () => {
    if (refused) return;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
    respond(accepted, parts, () => parts.answer(receivedOf(request, client, body)));
  });
}
