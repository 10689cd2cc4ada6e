/** The file in the data folder with the last signed head of the transparency log, for `core/trail-log.ts` (Decision 0028). */
import { constants, readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolderAsync } from '#core/file-sync.ts';
import type { NotedHead, TrailHeadNote } from './core/trail-log-head.ts';

/** Name of the file in the data folder. A backup does not contain it. */
const FILE = 'trail-head';
/** Largest file that is read, in bytes. */
const MAX_BYTES = 8_192;
const ROOT_BYTES = 32;

/** Opens the note. It is replaced as a whole, so a crash leaves the old or the new one. */
export function openTrailHeadNote(dataFolder: string): TrailHeadNote {
  const path = join(dataFolder, FILE);
  return {
    read() {
      try {
        return parse(readFileSync(path, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW }));
      } catch {
        return undefined;
      }
    },
    async write({ epoch, origin, vkey, sealedKey, createdAt, size, root }) {
      const temporary = `${path}.new`;
      const text = JSON.stringify({ epoch, origin, vkey, sealedKey, createdAt, size, root: Buffer.from(root).toString('base64') });
      await rm(temporary, { force: true });
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(`${text}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncFolderAsync(dataFolder);
    },
  };
}

/** Parses the file. Returns `undefined` if it is not a head. */
function parse(text: string): NotedHead | undefined {
  if (text.length > MAX_BYTES) return undefined;
  const value = JSON.parse(text) as Partial<Record<keyof NotedHead, unknown>>;
  const { epoch, origin, vkey, sealedKey, createdAt, size } = value;
  const root = Buffer.from(String(value.root), 'base64');
  const isHead =
    [epoch, size, createdAt].every((each) => Number.isSafeInteger(each) && (each as number) >= 0) &&
    [origin, vkey, sealedKey].every((each) => typeof each === 'string') &&
    root.length === ROOT_BYTES;
  if (!isHead) return undefined;
  return { epoch, origin, vkey, sealedKey, createdAt, size, root } as NotedHead;
}
