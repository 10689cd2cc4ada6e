import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The operator's keys, the newest first: the first seals, all open. A function where they may change while the server runs; it
 * returns another array then, so what is derived from one can be kept as long as that array is the one returned.
 */
export type OperatorKeys = readonly Uint8Array[] | (() => readonly Uint8Array[]);

/** What is derived from the keys, derived anew when they have changed. */
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

/** The keys of a running server, with what the operator may do to them. Every change is on disk before it is in force. */
export interface OperatorKeyRing {
  /** Another array after each change. */
  readonly keys: () => readonly Uint8Array[];
  /** Puts a new key first. @throws Error where the file is not as it was read */
  addNewest(): void;
  /** Leaves the newest alone. @throws Error where the file is not as it was read */
  forgetOlder(): void;
}

/**
 * The keys of a file, made at the first start.
 *
 * @throws Error where others than the owner may read the file, or a line is no key
 */
export function operatorKeyRing(path: string): OperatorKeyRing {
  let keys = loadOrCreateOperatorKey(path);

  /** Lines that are no keys are the operator's own, and stay. */
  function change(rewrite: (lines: readonly string[], isKey: (line: string) => boolean) => readonly string[]): void {
    const text = readOrUndefined(path) ?? '';
    const inFile = keysOf(text, path);
    const unchanged = inFile.length === keys.length && inFile.every((key, i) => Buffer.compare(key, keys[i] as Uint8Array) === 0);
    if (!unchanged) throw new Error(`${path} was changed since the server read it; start the server again first.`);
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
 * The operator's keys, the newest first, made at the first start: a file of mode 0600, one key a line as 64 hex digits,
 * `#` begins a comment. `belfry operator-key rotate` puts a new line first; to lose the file is to lose every secret in the database.
 *
 * @throws Error where others than the owner may read the file, or a line is no key
 */
export function loadOrCreateOperatorKey(path: string): readonly Uint8Array[] {
  return keysOf(readOrUndefined(path) ?? create(path), path);
}

function keysOf(text: string, path: string): readonly Uint8Array[] {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new Error(`'${path}' has no operator key; copy operator.key back from its backup`);
  // The line itself is not quoted: it may be a key with one digit too many.
  for (const key of keys)
    if (!KEY.test(key))
      throw new Error(`'${path}' has a line that is not a key of 64 lower-case hex digits; copy operator.key back from its backup`);
  return keys.map((key) => Buffer.from(key, 'hex'));
}

function readOrUndefined(path: string): string | undefined {
  try {
    // Windows has no such modes and reports others.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new Error(`${path} must be readable by its owner only (chmod 600).`);
    }
    return readFileSync(path, 'utf8');
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw problem;
  }
}

/** Whole or not at all, and never over another's: written aside, made durable, then linked to its name. */
function create(path: string): string {
  const aside = writeAside(
    path,
    `# Belfry's operator key. Every secret in the database is sealed under it: keep a copy apart from the database's backups.\n${randomBytes(KEY_BYTES).toString('hex')}\n`,
  );
  try {
    linkSync(aside, path);
  } catch (problem) {
    // Another process was first: its key is the key.
    if ((problem as NodeJS.ErrnoException).code !== 'EEXIST') throw problem;
  } finally {
    unlinkSync(aside);
  }
  syncFolder(dirname(path));
  const kept = readOrUndefined(path);
  if (kept === undefined) throw new Error(`${path} vanished while it was made.`);
  return kept;
}

/** Whole or not at all: a crash leaves the old file or the new one. */
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
    // A full disk: no half of a key is left lying about.
    unlinkSync(aside);
    throw problem;
  } finally {
    closeSync(file);
  }
  return aside;
}

/** Makes durable which files a folder has. Windows cannot sync a folder. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
