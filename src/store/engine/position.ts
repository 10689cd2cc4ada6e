/** Positions a millisecond: 2^53 / 1024 ms lasts until the year 2248. More in one millisecond go into the next. */
const PER_MILLISECOND = 1024;

/** The first position of a millisecond. */
export function positionAt(milliseconds: number): number {
  return milliseconds * PER_MILLISECOND;
}

/** The clock that orders what is appended: it only goes forward, whatever the system's clock does. */
export interface Positions {
  /** Larger than every one before it, and not before the current millisecond. */
  next(): number;
}

/** Which positions a server may give: every `of`th, from `server` on, so that those of several servers never meet. */
export interface Share {
  readonly server: number;
  readonly of: number;
}

/** Starts after `last`, the largest position kept, asked for when first needed. */
export function positions(now: () => number, last: () => number, { server, of }: Share = { server: 0, of: 1 }): Positions {
  let step: number | undefined;
  const next = (): number => {
    step = Math.max((step ?? Math.floor(last() / of)) + 1, positionAt(now()) / of);
    return step * of + server;
  };
  return { next };
}
