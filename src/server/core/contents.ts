/**
 * Deletion of contents that nothing refers to: files of deleted objects, and files of uploads that a crash interrupted between the file and
 * its row. This module does not own the files themselves (`server/object-files.ts`).
 */
import type { LeaseClock } from '#access/lease-parts.ts';
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import type { Store } from '#store/store.ts';
import type { Log } from '../log.ts';
import type { Bodies } from '../object-files.ts';
import { dueFiles, forgetFiles, unnamedFiles } from './services.ts';
import { repeated } from './sweeps.ts';

/** Contents of objects, as the core uses them. */
export interface Contents extends Bodies {
  /** Returns the IDs of the contents that were last written before a time, in milliseconds since the epoch. */
  readonly list: (before: number) => AsyncIterable<readonly string[]>;
  /**
   * Age from which a content that no row names is an orphan, in milliseconds. 0: no other server writes contents, so every such content from
   * before the start is an orphan. Otherwise another server may be about to commit the row of a younger one.
   */
  readonly orphanAgeMs: number;
  /** Ends the uploads that began before a time and that no server finishes. Absent if the start of a server does so. */
  readonly endUploads?: (before: number) => Promise<void>;
}

export interface ContentsParts {
  readonly contents: Contents;
  readonly store: Store;
  readonly clock: LeaseClock;
  readonly report: Log;
  /** Reports whether files may be deleted. After a restore of an older database, its rows do not name all files that are needed. */
  readonly isOpen: () => boolean;
}

/** Creates the parts that delete contents. A server without a place for contents has none. */
export function contentsParts({ contents, ...parts }: Omit<ContentsParts, 'contents'> & { readonly contents?: Contents }): readonly Part[] {
  return contents === undefined ? [] : [orphansPart({ ...parts, contents }), garbagePart({ ...parts, contents })];
}

/** Interval between two deletions of files. */
const EVERY_MS = 60_000;
/**
 * Time for which the file of a deleted object stays. A download opens its first file before the response begins, but an object that was
 * uploaded in parts has further files, which the download opens later.
 */
const KEPT_MS = HOUR_MS;
/** Maximum number of files of one step. Other requests run between two steps. */
const FILES_OF_STEP = 200;

/** Creates the part that deletes the files of deleted objects every minute. */
export function garbagePart(parts: ContentsParts): Part {
  const work = async (): Promise<void> => {
    if (!parts.isOpen()) return;
    await deleteGarbage(parts).catch((error: unknown) =>
      parts.report(`could not delete files of deleted objects: ${(error as Error).message}`),
    );
  };
  return repeated('files of deleted objects', EVERY_MS, parts.clock, work);
}

/** Deletes the files that have been garbage for an hour. A file is deleted before its row, so a crash loses no file. */
export async function deleteGarbage({ contents, store, clock }: Pick<ContentsParts, 'contents' | 'store' | 'clock'>): Promise<void> {
  for (;;) {
    const until = instant(clock.wall() - KEPT_MS);
    const due = await store.transaction((tx) => dueFiles(tx, until, FILES_OF_STEP));
    if (due.length === 0) return;
    await contents.remove(due);
    await store.transaction((tx) => forgetFiles(tx, due));
  }
}

const ORPHANS = 'files without an object';
/** Interval between two searches for orphans among contents that several servers write. */
const ORPHANS_EVERY_MS = DAY_MS;

/**
 * Creates the part that looks in the background for files that no row names, and deletes them. Their uploads got no response, because a
 * server stopped before the commit. It looks once. If several servers write the files, it looks every day, because it finds only old files.
 * Servers that look at the same time do not disturb each other.
 */
export function orphansPart(parts: ContentsParts): Part {
  let stopped = false;
  const work = () =>
    deleteOrphans(parts, () => stopped || !parts.isOpen()).catch((error: unknown) => {
      // An error of a search that a stop ends has no effect. The next start looks again.
      if (!stopped) parts.report(`could not look for files without an object: ${(error as Error).message}`);
    });
  if (parts.contents.orphanAgeMs > 0) {
    const part = repeated(ORPHANS, ORPHANS_EVERY_MS, parts.clock, work, 0);
    return {
      ...part,
      stop() {
        stopped = true;
        return part.stop?.();
      },
    };
  }
  let running: Promise<void> | undefined;
  return {
    name: ORPHANS,
    start() {
      running = work();
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** Deletes files that no row names, and ends abandoned uploads. Ignores files that are younger than `orphanAgeMs`. */
export async function deleteOrphans(
  { contents, store, clock }: Pick<ContentsParts, 'contents' | 'store' | 'clock'>,
  isStopped: () => boolean = () => false,
): Promise<void> {
  if (isStopped()) return;
  const before = clock.wall() - contents.orphanAgeMs;
  await contents.endUploads?.(before);
  if (isStopped()) return;
  for await (const ids of contents.list(before)) {
    for (let from = 0; from < ids.length; from += FILES_OF_STEP) {
      if (isStopped()) return;
      const some = ids.slice(from, from + FILES_OF_STEP);
      const unnamed = await store.transaction((tx) => unnamedFiles(tx, some));
      if (isStopped()) return;
      await contents.remove(unnamed);
    }
  }
}
