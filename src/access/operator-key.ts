import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const KEY = /^[0-9a-f]{64}$/;

/**
 * The operator's keys, the newest first, made at the first start: a file of mode 0600, one key a line as 64 hex digits,
 * `#` begins a comment. To rotate, put a new line first; to lose it is to lose every secret in the database.
 *
 * @throws Error where others than the owner may read the file, or a line is no key
 */
export function loadOrCreateOperatorKey(path: string): readonly Uint8Array[] {
  const text = readOrUndefined(path) ?? create(path);
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new Error(`${path} holds no operator key.`);
  // The line itself is not quoted: it may be a key with one digit too many.
  for (const key of keys) if (!KEY.test(key)) throw new Error(`${path} has a line that is no key of 64 lower-case hex digits.`);
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
  const text = `# Belfry's operator key. Every secret in the database is sealed under it: keep a copy apart from the database's backups.\n${randomBytes(32).toString('hex')}\n`;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
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

function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
