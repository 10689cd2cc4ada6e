/** Files of contents that nothing refers to. The server deletes the files themselves. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { garbage } from './tables/garbage.ts';
import { objects } from './tables/objects.ts';
import { uploads } from './tables/uploads.ts';

/** Returns at most `limit` IDs of files that became unused at `until` or before. */
export function dueFiles(tx: Tx, until: Instant, limit: number): Promise<readonly string[]> {
  return tx.of(garbage).due(until, limit);
}

/** Deletes the rows of unused files, after the files were deleted. */
export function forgetFiles(tx: Tx, ids: readonly string[]): Promise<void> {
  return tx.of(garbage).forget(ids);
}

/** Returns those of the file IDs that are in no row. */
export async function unnamedFiles(tx: Tx, ids: readonly string[]): Promise<readonly string[]> {
  const used = [await tx.of(objects).usedFiles(ids), await tx.of(uploads).usedFiles(ids), await tx.of(garbage).usedFiles(ids)];
  return ids.filter((id) => !used.some((each) => each.has(id)));
}
