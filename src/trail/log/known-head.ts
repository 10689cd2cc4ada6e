import type { TreeHead } from '#tlog/append.ts';
import { hasHead, type TileReader } from '#tlog/merkle.ts';

/** Log of which a server knows the head from its own appends. Two heads while the outcome of a commit is unknown. */
export interface KnownHead {
  readonly epoch: number;
  readonly fence: number;
  readonly heads: readonly TreeHead[];
}

/** Head of a stored log. */
export interface StoredHead extends TreeHead {
  readonly epoch: number;
  readonly fence: number;
}

/**
 * Reports whether a stored log differs from the known one. Only the appender changes a tree. So as long as a server is the appender, the
 * tree must be the same. After another server was the appender, the stored tree must continue it. A log with a later epoch is valid,
 * because only a server with the operator key can create its signing key.
 */
export async function isOtherTree(known: KnownHead | undefined, stored: StoredHead | undefined, read: TileReader): Promise<boolean> {
  if (known === undefined || (stored !== undefined && stored.epoch > known.epoch)) return false;
  if (stored?.epoch !== known.epoch) return true;
  if (known.heads.some((head) => isSame(head, stored))) return false;
  if (stored.fence === known.fence) return true;
  for (const head of known.heads) if (head.size <= stored.size && (await hasHead(read, head))) return false;
  return true;
}

function isSame(one: TreeHead, other: TreeHead): boolean {
  return one.size === other.size && Buffer.compare(one.root, other.root) === 0;
}
