import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { requirePrivate } from '#core/file-access.ts';
import { syncFolder } from '#core/file-sync.ts';

/**
 * Operator keys, which encrypt the secrets in the database. The newest key is first. The server encrypts with the
 * newest key only, and can decrypt with each key.
 *
 * `OperatorKeys` is a function if the keys can change while the server runs. It returns a new array after each change. A value derived from
 * the keys remains valid as long as the function returns the same array.
 */
export type OperatorKeys = readonly Uint8Array[] | (() => readonly Uint8Array[]);

/**
 * Returns a function that returns a value derived from the keys. If the keys have changed, it derives the value again.
 */
export function derivedFrom<Derived>(keys: OperatorKeys, derive: (keys: readonly Uint8Array[]) => Derived): () => Derived {
  const keysNow = typeof keys === 'function' ? keys : () => keys;
  let from = keysNow();
  let derived = derive(from);
  return () => {
    const now = keysNow();
    if (now !== from) {
      derived = derive(now);
      from = now;
    }
    return derived;
  };
}

/** Operator keys of a running server. Each change is on disk before it takes effect. */
export interface OperatorKeyRing {
  /** Returns the keys, the newest first. The array is a new one after each change. */
  readonly keys: () => readonly Uint8Array[];
  /** Adds a new key as the newest one. @throws Error  the file changed since the server read it */
  addNewest(): void;
  /** Deletes all keys but the newest. @throws Error  the file changed since the server read it */
  forgetOlder(): void;
}

/**
 * Opens the key file, which the first start creates.
 *
 * @throws Error  other users can read the file, or a line is not a key
 */
export function operatorKeyRing(path: string): OperatorKeyRing {
  let keys = loadOrCreateOperatorKey(path);

  /** Rewrites the file. Keeps comments and empty lines, which belong to the operator. */
  function change(rewrite: (lines: readonly string[], isKey: (line: string) => boolean) => readonly string[]): void {
    const text = readOrUndefined(path) ?? '';
    const inFile = keysOf(text, path);
    const unchanged = inFile.length === keys.length && inFile.every((key, i) => Buffer.compare(key, keys[i] as Uint8Array) === 0);
    if (!unchanged) throw new Error(`'${path}' has changed since the server read it; restart the server first`);
    const changed = rewrite(text.split('\n'), (line) => KEY.test(line.trim())).join('\n');
    replace(path, changed);
    keys = keysOf(changed, path);
  }

  return {
    keys: () => keys,
    addNewest: () =>
      change((lines, isKey) => {
        const first = lines.findIndex(isKey);
        return [...lines.slice(0, first), randomBytes(KEY_BYTES).toString('hex'), ...lines.slice(first)];
      }),
    forgetOlder: () =>
      change((lines, isKey) => {
        const first = lines.findIndex(isKey);
        return lines.filter((line, i) => i === first || !isKey(line));
      }),
  };
}

const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/;

/**
 * Reads the operator keys, the newest first. Creates the file if it does not exist.
 *
 * The file has mode 0600 and one key per line, in 64 hexadecimal digits. `#` begins a comment. The command
 * `belfry operator-key rotate` adds the new key as the first line. Without the file, no secret in the database can be
 * decrypted.
 *
 * @throws Error  other users can read the file, or a line is not a key
 */
export function loadOrCreateOperatorKey(path: string): readonly Uint8Array[] {
  return keysOf(readOrUndefined(path) ?? create(path), path);
}

function keysOf(text: string, path: string): readonly Uint8Array[] {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new Error(`'${path}' has no operator key; copy operator.key back from its backup`);
  // The message does not quote the line, because it may be a key with one additional digit.
  for (const key of keys)
    if (!KEY.test(key))
      throw new Error(`'${path}' has a line that is not a key of 64 lower-case hex digits; copy operator.key back from its backup`);
  return keys.map((key) => Buffer.from(key, 'hex'));
}

function readOrUndefined(path: string): string | undefined {
  try {
    requirePrivate(path, 'secret');
    return readFileSync(path, 'utf8');
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw problem;
  }
}

/**
 * Creates the key file atomically: writes a temporary file, syncs it to disk, and links it under the name `path`. Never
 * replaces an existing file. Returns the content of the key file, which another process may have created.
 */
function create(path: string): string {
  const aside = writeAside(
    path,
    `# Belfry's operator key. It encrypts every secret in the database. Keep a copy, in another place than the backups of the database.\n${randomBytes(KEY_BYTES).toString('hex')}\n`,
  );
  try {
    linkSync(aside, path);
  } catch (problem) {
    // Another process has created the file. The key in that file is used.
    if ((problem as NodeJS.ErrnoException).code !== 'EEXIST') throw problem;
  } finally {
    unlinkSync(aside);
  }
  syncFolder(dirname(path));
  const kept = readOrUndefined(path);
  if (kept === undefined) throw new Error(`'${path}' was deleted while the server created it; start the server again`);
  return kept;
}

/** Replaces the file atomically: after a crash, either the old or the new file exists. */
function replace(path: string, text: string): void {
  const aside = writeAside(path, text);
  try {
    renameSync(aside, path);
  } catch (problem) {
    unlinkSync(aside);
    throw problem;
  }
  syncFolder(dirname(path));
}

function writeAside(path: string, text: string): string {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (problem) {
    // The write can fail, for example because the disk is full. Then the temporary file contains an incomplete key.
    unlinkSync(aside);
    throw problem;
  } finally {
    closeSync(file);
  }
  return aside;
}
