/**
 * Sequence of frames that one write sends. All sockets that wait for the same frames share one sequence, so its bytes are concatenated
 * once.
 */
export interface FrameSequence {
  readonly bytes: number;
  /** Returns this sequence with one more frame. Calls with the same frame return the same object. */
  followedBy(frame: Buffer): FrameSequence;
  /** Returns all frames in one buffer. Every call returns the same buffer, so callers must not change it. */
  toBuffer(): Buffer;
}

/** Creates the sequence of one frame. */
export function sequenceOf(frame: Buffer): FrameSequence {
  return newSequence(undefined, frame, frame.length);
}

interface Linked extends FrameSequence {
  readonly previous: Linked | undefined;
  readonly last: Buffer;
}

function newSequence(previous: Linked | undefined, last: Buffer, bytes: number): Linked {
  let buffer: Buffer | undefined;
  // Nearly all sockets with this sequence continue with the same next frame. `next` is the sequence with that frame, so
  // most calls of `followedBy` need no look-up in a map.
  let next: Linked | undefined;
  let others: Map<Buffer, Linked> | undefined;

  function continueWith(frame: Buffer): Linked {
    let found = others?.get(frame);
    if (found !== undefined) return found;
    found = newSequence(sequence, frame, bytes + frame.length);
    if (next === undefined) next = found;
    else {
      others ??= new Map();
      others.set(frame, found);
    }
    return found;
  }

  const sequence: Linked = {
    previous,
    last,
    bytes,
    followedBy: (frame) => (next?.last === frame ? next : continueWith(frame)),
    toBuffer: () => (buffer ??= previous === undefined ? last : Buffer.concat(framesOf(sequence), bytes)),
  };
  return sequence;
}

/** Returns the frames of a sequence, in the order in which they are sent. */
function framesOf(sequence: Linked): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at: Linked | undefined = sequence; at !== undefined; at = at.previous) frames.push(at.last);
  return frames.reverse();
}
