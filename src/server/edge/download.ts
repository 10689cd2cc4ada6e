/** Responses whose body is stored bytes. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { StoredRange } from '#core/exchange.ts';
import type { Bodies } from '../object-files.ts';
import { checkProgress, type TransferLimits } from './transfer-limits.ts';

/**
 * Opens the first piece of a stored body. Call it before the head of the response is sent, so that a missing file is an error response and
 * not a broken body.
 *
 * @throws Error  the content does not exist
 */
export async function openRange(bodies: Bodies, { pieces }: StoredRange): Promise<AsyncIterable<Uint8Array>> {
  const [first, ...rest] = pieces.filter(({ length }) => length > 0);
  if (first === undefined) return nothing();
  const opened = await bodies.read(first.id, first.start, first.length);
  return (async function* () {
    yield* opened;
    // The files of deleted objects stay for an hour, so a later piece is normally still there. Otherwise the connection is destroyed,
    // and the client notices the missing bytes by the length.
    for (const { id, start, length } of rest) yield* await bodies.read(id, start, length);
  })();
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Length of a stored body in bytes. */
export function lengthOf({ pieces }: StoredRange): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Sends stored bytes as the body of a response whose head was sent. Reads from the disk only as fast as the client reads.
 *
 * @throws Error  the client closed the connection or reads too slowly, or the file cannot be read
 */
export async function sendRange(response: ServerResponse, bytes: AsyncIterable<Uint8Array>, limits: TransferLimits): Promise<void> {
  const progress = checkProgress(limits, () => response.destroy(new Error('the client reads too slowly')));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    for await (const piece of bytes) {
      if (response.destroyed) throw new Error('the client closed the connection');
      if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal });
      progress.moved(piece.length);
    }
    response.end();
  } finally {
    progress.stop();
  }
}
