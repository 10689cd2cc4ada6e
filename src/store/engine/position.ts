/** Positions per millisecond. 2^53 / 1024 ms last until the year 2248. Further records of a millisecond use positions of the next one. */
const PER_MILLISECOND = 1024;

/** Returns the first position of a millisecond. */
export function positionAt(milliseconds: number): number {
  return milliseconds * PER_MILLISECOND;
}

/** Clock that orders the trail. It never goes back, even if the system's clock does. */
export interface Positions {
  /** Returns a position larger than all before it, and not before the current millisecond. */
  next(): number;
}

/** Share of the positions that a server uses: every `of`th position, starting with `server`. Shares do not overlap. */
export interface Share {
  readonly server: number;
  readonly of: number;
}

/** Creates positions after `last`, the largest stored position. `last` is called at the first use. */
export function positions(now: () => number, last: () => number, { server, of }: Share = { server: 0, of: 1 }): Positions {
  let step: number | undefined;
  const next = (): number => {
    step = Math.max((step ?? Math.floor(last() / of)) + 1, positionAt(now()) / of);
    return step * of + server;
  };
  return { next };
}
