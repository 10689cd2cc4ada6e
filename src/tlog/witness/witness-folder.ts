/**
 * The data folder of a witness: its key, the logs that it knows, and the latest checkpoint that it cosigned for each log.
 * It is never the data folder of a server, because a witness must be out of the reach of an attacker who has the server.
 *
 *     witness.key                 key pair, one line
 *     logs/HEX.vkeys              keys of a log, one per line. HEX is the SHA-256 of the log's origin
 *     logs/HEX.checkpoint         latest cosigned checkpoint, or empty
 *     lock                        locked while a witness runs
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { requirePrivate } from '#core/file-access.ts';
import type { TreeHead } from '../append.ts';
import { parseCheckpoint } from '../checkpoint.ts';
import { parseNote, verifyNote } from '../note.ts';
import { createSigningKey, formatSigningKey, formatVkey, type NoteKey, parseSigningKey, parseVkey, type SigningKey } from '../note-key.ts';
import { hashOfOrigin } from './add-checkpoint.ts';

/** Replaces a file. When it returns, the file and its name are on disk. If it throws, the old file or the new file exists. */
export type WriteDurably = (path: string, text: string) => void;

/** Latest checkpoint that the witness cosigned for a log. */
export interface Cosigned extends TreeHead {
  /** Signed checkpoint with the cosignature of the witness. */
  readonly signed: string;
}

/** A log that the witness knows. */
export interface KnownLog {
  readonly origin: string;
  readonly keys: readonly NoteKey[];
}

/** Most keys of one log, so that a rotation of the log's key is possible. */
const LOG_KEYS_MAX = 8;

/** Files that only the data folder of a server has. */
const SERVER_FILES = ['belfry.db', 'operator.key', 'control'] as const;

/** Data folder of a witness. All functions are synchronous. */
export interface WitnessFolder {
  /** Returns the key, or undefined before the first start. @throws Error  other users can read the key */
  readonly signingKey: () => SigningKey | undefined;
  /** Creates the key at the first start. @throws FormatError  the name is invalid */
  readonly createKey: (name: string) => SigningKey;
  /** Returns the keys of the log with this hash of its origin, or undefined if the witness does not know the log. */
  readonly log: (originHash: string) => KnownLog | undefined;
  readonly logs: () => readonly KnownLog[];
  /**
   * Adds a key of a log. Does nothing if the key is known. A running witness knows the key from its next request on.
   *
   * @throws Error  the key has the type of a witness, or the log has 8 keys
   */
  readonly addLog: (key: NoteKey) => 'added' | 'exists';
  /**
   * Returns the latest cosigned checkpoint of a known log, or undefined if the witness never cosigned one.
   *
   * @throws Error  the file is missing, or has no valid cosignature of the witness. Then the witness must not cosign
   */
  readonly latest: (originHash: string, witnessKey: NoteKey) => Cosigned | undefined;
  /** Replaces the latest cosigned checkpoint of a log. It is on disk when the function returns. */
  readonly setLatest: (originHash: string, signed: string) => void;
  /**
   * Locks the folder until this process ends or calls the returned function.
   *
   * @throws Error  another witness runs with this folder
   */
  readonly lock: () => () => void;
}

/**
 * Opens the data folder of a witness, and creates it if it does not exist.
 *
 * @throws Error  the folder is the data folder of a server, or other users can change it
 */
export function openWitnessFolder(folder: string, writeDurably: WriteDurably): WitnessFolder {
  const server = SERVER_FILES.find((name) => existsSync(join(folder, name)));
  if (server !== undefined)
    throw new Error(`'${folder}' has ${server}, so it is the data folder of a server; a witness needs its own folder`);
  const logsFolder = join(folder, 'logs');
  mkdirSync(logsFolder, { recursive: true, mode: 0o700 });
  for (const path of [folder, logsFolder]) requirePrivate(path, 'folder');
  const keyFile = join(folder, 'witness.key');
  const vkeysFile = (originHash: string) => join(logsFolder, `${originHash}.vkeys`);
  const checkpointFile = (originHash: string) => join(logsFolder, `${originHash}.checkpoint`);

  function log(originHash: string): KnownLog | undefined {
    const text = readIfExists(vkeysFile(originHash));
    if (text === undefined) return undefined;
    const keys = text.trimEnd().split('\n').map(parseVkey);
    return { origin: (keys[0] as NoteKey).name, keys };
  }

  return {
    log,
    signingKey() {
      requirePrivate(keyFile, 'secret');
      const text = readIfExists(keyFile);
      return text === undefined ? undefined : parseSigningKey(text.trimEnd());
    },
    createKey(name) {
      const created = createSigningKey(name, 'witness');
      writeDurably(keyFile, `${formatSigningKey(created)}\n`);
      return created;
    },
    logs() {
      const hashes = readdirSync(logsFolder).flatMap((name) => /^([0-9a-f]{64})\.vkeys$/.exec(name)?.[1] ?? []);
      return hashes.toSorted().flatMap((originHash) => log(originHash) ?? []);
    },
    addLog(key) {
      if (key.type !== 'log') throw new Error(`'${formatVkey(key)}' is the key of a witness, not of a log`);
      const originHash = hashOfOrigin(key.name);
      const known = log(originHash)?.keys ?? [];
      if (known.some(({ id, publicKey }) => id === key.id && publicKey === key.publicKey)) return 'exists';
      if (known.length >= LOG_KEYS_MAX) throw new Error(`the log '${key.name}' has ${known.length} keys, which is the maximum`);
      // First, so that a known log without this file means that the file was lost.
      if (known.length === 0 && !existsSync(checkpointFile(originHash))) writeDurably(checkpointFile(originHash), '');
      writeDurably(vkeysFile(originHash), `${[...known, key].map(formatVkey).join('\n')}\n`);
      return 'added';
    },
    latest(originHash, witnessKey) {
      const signed = readFileSync(checkpointFile(originHash), 'utf8');
      if (signed === '') return undefined;
      const note = parseNote(signed);
      const { size, root } = parseCheckpoint(note.text);
      if (verifyNote(note, [witnessKey])?.length !== 1)
        throw new Error(`'${checkpointFile(originHash)}' has no valid cosignature of this witness; restore the file`);
      return { size, root, signed };
    },
    setLatest(originHash, signed) {
      writeDurably(checkpointFile(originHash), signed);
    },
    lock: () => lockFile(join(folder, 'lock'), folder),
  };
}

/** Locks a file. The operating system unlocks it when the process ends, also after SIGKILL. */
function lockFile(path: string, folder: string): () => void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (/locked/.test((error as Error).message)) throw new Error(`another witness runs with the folder '${folder}'`);
    throw error;
  }
  return () => database.close();
}

function readIfExists(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
