/** Size of one step of parsing within a body in chunks (`Transfer-Encoding: chunked`), whose length is unknown. */

/** Part of the received bytes that is parsed in one step. */
export interface ChunkedStep {
  /** Number of bytes. */
  readonly length: number;
  /** Upper bound of the number of lines in these bytes. */
  readonly lines: number;
}

/**
 * Maximum number of lines in one step. They are at most 64 chunks, or the heads of at most 64 requests that follow the body.
 */
export const STEP_LINES = 128;

const LINE_END = '\r\n';

/**
 * Returns the next step, which begins at `from`. It ends after `STEP_LINES` lines, or with the received bytes.
 *
 * Each chunk has two line ends: one after its size, and one after its data. Node's parser accepts no other line ends. So the number of line
 * ends is an upper bound of the work of the parser, wherever the step begins in the body, and whatever the client sends. Line ends in the
 * data count too, because this function does not know where a chunk begins: data with many line ends is only parsed in smaller steps.
 */
export function chunkedStep(bytes: Buffer, from: number): ChunkedStep {
  let to = from;
  for (let lines = 0; lines < STEP_LINES; lines++) {
    const end = bytes.indexOf(LINE_END, to, 'latin1');
    if (end === -1) return { length: bytes.length - from, lines };
    to = end + LINE_END.length;
  }
  return { length: to - from, lines: STEP_LINES };
}
