/**
 * The head of the transparency log that this server knows from its own appends. Without a witness, it is the only evidence that does not
 * come from the database, so a changed tree is found while the server runs (Decision 0028).
 */
import type { Instant } from '#core/instant.ts';
import type { TrailLogRow } from '#store/trail/log/trail-log.ts';
import type { TreeHead } from '#tlog/append.ts';
import type { TileReader } from '#tlog/merkle.ts';
import { isOtherTree, type KnownHead } from '#trail/log/known-head.ts';

/** Difference between the stored tree and the head in memory. */
export interface HeadDifference {
  /** Log of which this server stored the head. */
  readonly log: TrailLogRow;
  /** Head in memory. */
  readonly head: TreeHead;
  /** Number of stored leaves. */
  readonly size: number;
  readonly kind: 'smaller' | 'forked';
}

/** Head of a log with its keys, as a server notes it outside the database. */
export type NotedHead = Pick<TrailLogRow, 'epoch' | 'origin' | 'vkey' | 'sealedKey' | 'createdAt' | 'size' | 'root'>;

/** Note of the last signed head, outside the database. So the next start finds a database that is older than it. */
export interface TrailHeadNote {
  /** Returns the noted head, or `undefined` if there is no valid note. */
  read(): NotedHead | undefined;
  /** Notes a head whose checkpoint was signed. Resolves after the note is on disk. */
  write(head: NotedHead): Promise<void>;
}

export interface TrailLogHead {
  /** Sets the head that an earlier process noted. The tree may have grown since then. `stored` is the log in the database. */
  load(noted: NotedHead, stored: TrailLogRow | undefined): void;
  /** Sets the head of the log. Two heads while the outcome of a commit is unknown: those before and after the append. */
  set(log: TrailLogRow, ...heads: readonly [TreeHead, ...TreeHead[]]): void;
  /** Returns the head in memory, for a comparison in another thread. */
  known(): KnownHead | undefined;
  /** Compares the stored log with the head in memory, as `isOtherTree` does. */
  differenceOf(stored: TrailLogRow | undefined, read: TileReader): Promise<HeadDifference | undefined>;
}

/** Fencing number of a noted head. It equals no stored one, so a stored tree may continue the head. */
const UNKNOWN_FENCE = -1;

/** Creates the head of one server, which is unknown at first. */
export function trailLogHead(): TrailLogHead {
  let own: { readonly log: TrailLogRow; readonly known: KnownHead } | undefined;

  return {
    load(noted, stored) {
      const isOwn = stored?.epoch === noted.epoch && stored.origin === noted.origin;
      const log = isOwn ? stored : { ...noted, fence: UNKNOWN_FENCE, holder: '', heldUntil: 0 as Instant };
      own = { log, known: { epoch: noted.epoch, fence: UNKNOWN_FENCE, heads: [{ size: noted.size, root: noted.root }] } };
    },
    set(log, ...heads) {
      own = { log, known: { epoch: log.epoch, fence: log.fence, heads: heads.map(({ size, root }) => ({ size, root })) } };
    },
    known: () => own?.known,
    async differenceOf(stored, read) {
      if (own === undefined || !(await isOtherTree(own.known, stored, read))) return undefined;
      const { log, known } = own;
      const head = known.heads[0] as TreeHead;
      const size = stored?.epoch === log.epoch ? stored.size : 0;
      return { log, head, size, kind: size < head.size ? 'smaller' : 'forked' };
    },
  };
}
