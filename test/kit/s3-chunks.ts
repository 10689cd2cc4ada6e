/** Bodies in the encoding `aws-chunked`, also such that clients do not send. */
import { createHash, createHmac } from 'node:crypto';

/** Body to encode. */
export interface ChunkedBody {
  /** Contents of the chunks, without the empty one at the end. */
  readonly pieces: readonly string[];
  /** Lines after the last chunk, such as `x-amz-checksum-crc32:AAAAAA==`. */
  readonly trailers?: readonly string[];
  /** Whether each chunk has a signature. */
  readonly signed?: boolean;
  /** Whether a signature of the trailers follows them. Only with `signed`. */
  readonly signedTrailers?: boolean;
  /** Number of the chunk whose content changes after it was signed, beginning with 0. */
  readonly alterChunk?: number;
  /** Whether the signature of the last chunk is wrong. */
  readonly alterLast?: boolean;
  /** Bytes to send in place of the encoded body. */
  readonly raw?: string;
}

/** Key, date, scope and first signature of a request. */
interface Seed {
  readonly key: Buffer;
  readonly signature: string;
  readonly amzDate: string;
  readonly scope: string;
}

const hex = (data: string): string => createHash('sha256').update(data).digest('hex');

/** Returns the bytes of a body. */
export function chunkedBytes({ pieces, trailers = [], ...body }: ChunkedBody, { key, signature, amzDate, scope }: Seed): Buffer {
  if (body.raw !== undefined) return Buffer.from(body.raw);
  let previous = signature;
  const sign = (algorithm: string, hashes: string): string => {
    previous = createHmac('sha256', key).update([algorithm, amzDate, scope, previous, hashes].join('\n')).digest('hex');
    return previous;
  };
  const lines = [...pieces, ''].map((piece, i) => {
    const proof = body.signed === true ? `;chunk-signature=${sign('AWS4-HMAC-SHA256-PAYLOAD', `${hex('')}\n${hex(piece)}`)}` : '';
    const sentProof = piece === '' && body.alterLast === true ? `${proof.slice(0, -1)}${proof.endsWith('0') ? '1' : '0'}` : proof;
    const sent = i === body.alterChunk ? `#${piece.slice(1)}` : piece;
    return `${piece.length.toString(16)}${sentProof}\r\n${piece === '' ? '' : `${sent}\r\n`}`;
  });
  const trailerProof =
    body.signedTrailers === true
      ? `x-amz-trailer-signature:${sign('AWS4-HMAC-SHA256-TRAILER', hex(trailers.map((each) => `${each}\n`).join('')))}\r\n`
      : '';
  return Buffer.from(`${lines.join('')}${trailers.map((each) => `${each}\r\n`).join('')}${trailerProof}\r\n`);
}
