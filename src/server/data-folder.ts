import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, type Stats, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { loadOrCreateOperatorKey } from '#access/operator-keys.ts';
import { isOwnDatabase, openVault } from '#access/vault.ts';
import { requirePrivate } from '#core/file-access.ts';
import { databaseFolder } from '#store/engine/database-folder.ts';
import { type PeekedMeta, peekPostgres, peekSqlite } from '#store/engine/peek.ts';
import { FINGERPRINT, OPERATOR_ACCOUNT } from './core/first-start.ts';
import { writeDurably } from './durable-file.ts';
import type { Settings } from './settings.ts';
import { explained } from './start-failure.ts';

/**
 * File that exists from the beginning of the first start until the first account is committed. It distinguishes an interrupted first start,
 * which can be repeated, from a lost database.
 */
const FIRST_START = 'first-start';

/**
 * Folders that the server creates in the data folder. They must not be symbolic links, because their files would then
 * be outside the data folder.
 */
const FOLDERS = ['aws', 'control', 'objects', 'tls'] as const;

/**
 * Files that only their owner may read. Each may be a symbolic link, because container platforms mount secrets as
 * links.
 */
const PRIVATE_FILES = ['operator.key', join('aws', 'credentials'), join('tls', 'ca.key'), join('tls', 'server.key')] as const;
const DATABASE_FILES = ['belfry.db', 'belfry.db-wal', 'belfry.db-shm'] as const;

/**
 * Checks the data folder before a start changes anything in it. Creates it if it does not exist.
 *
 * @throws Error other users can access a folder or a file, a folder is a symbolic link, or the operator key, the
 *   database and the AWS profile of the first start do not belong together. The message is one line, which says how to
 *   repair the data folder
 */
export async function requireSoundDataFolder(settings: Settings): Promise<void> {
  const { dataFolder, database } = settings;
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const folderOfDatabase = databaseFolder(database);
  requireModes(settings, folderOfDatabase);
  requireCertificate(settings);
  // A database in memory is new at every start, so no earlier data can be missing.
  if (database === 'file::memory:') return;
  const meta = folderOfDatabase === undefined ? await peekPostgres(database) : peekSqlite(folderOfDatabase);
  if (isFirstStart(dataFolder, meta)) writeDurably(join(dataFolder, FIRST_START), '');
}

/** Reports whether the server may create the first account of an empty database. */
export function mayCreateAccount({ dataFolder, database }: Settings): boolean {
  return database === 'file::memory:' || existsSync(join(dataFolder, FIRST_START));
}

/** Ends the first start. From then on, an empty database means that the data was lost. */
export function endFirstStart({ dataFolder }: Settings): void {
  rmSync(join(dataFolder, FIRST_START), { force: true });
}

/**
 * Returns the message for a failed start. If the disk is full or the operating system reported the error, the message
 * also says what the operator can do.
 */
export function startFailure(error: Error, settings: Settings): string {
  const folder = fullFolder(error, [settings.dataFolder, databaseFolder(settings.database) ?? settings.dataFolder]);
  if (folder === undefined) return explained(error, settings);
  const cause = error.message.split('\n', 1)[0]?.replace(/^Error: /, '');
  return `the disk of '${folder}' is full; free some space (${cause})`;
}

function isFirstStart(dataFolder: string, meta: PeekedMeta): boolean {
  const has = (name: string): boolean => existsSync(join(dataFolder, name));
  const isKnown = meta === 'unknown' || (meta !== 'missing' && (meta.has(OPERATOR_ACCOUNT) || meta.has(FINGERPRINT)));
  const isComplete = meta === 'unknown' || (meta !== 'missing' && meta.has(OPERATOR_ACCOUNT));
  if (has(FIRST_START)) return !isComplete;
  if (isKnown && !has('operator.key'))
    throw new Error(
      `'${dataFolder}' has no operator.key, which encrypts the secrets of the database; copy operator.key back, from its backup or from another server of this database`,
    );
  if (has('operator.key')) requireOwnKey(dataFolder, meta);
  if (isComplete) return false;
  const left = ['operator.key', join('aws', 'credentials')].filter(has);
  if (left.length > 0)
    throw new Error(
      `the database is missing or empty, and '${dataFolder}' has ${left.join(' and ')}; restore the database from its backup, or set another BELFRY_DATA to start without it`,
    );
  return true;
}

/** Checks that the key file belongs to the database. @throws Error the file has no operator key, or not the key of the database */
function requireOwnKey(dataFolder: string, meta: PeekedMeta): void {
  const vault = openVault(loadOrCreateOperatorKey(join(dataFolder, 'operator.key')));
  const fingerprint = typeof meta === 'string' ? undefined : meta.get(FINGERPRINT);
  if (fingerprint !== undefined && !isOwnDatabase(vault, fingerprint))
    throw new Error(
      `the operator key in '${dataFolder}' does not belong to this database; restore the operator.key of this database from its backup`,
    );
}

function requireModes({ dataFolder, tlsKeyFile }: Settings, folderOfDatabase: string | undefined): void {
  for (const name of FOLDERS) {
    const path = join(dataFolder, name);
    const found = lstatOrUndefined(path);
    if (found === undefined) continue;
    if (!found.isDirectory())
      throw new Error(`'${path}' is a ${found.isSymbolicLink() ? 'symbolic link' : 'file'}; replace it with a real folder`);
    requirePrivate(path, 'folder');
  }
  for (const folder of new Set([dataFolder, folderOfDatabase ?? dataFolder])) requirePrivate(folder, 'folder');
  for (const name of PRIVATE_FILES) requirePrivate(join(dataFolder, name), 'secret');
  if (folderOfDatabase !== undefined) for (const name of DATABASE_FILES) requirePrivate(join(folderOfDatabase, name), 'database');
  if (tlsKeyFile !== undefined) requirePrivate(tlsKeyFile, 'tls-key');
}

/** @throws Error the certificate or its key cannot be read, or they do not belong together */
function requireCertificate({ dataFolder, https, tlsCertificateFile, tlsKeyFile }: Settings): void {
  if (https === 'off') return;
  const own = (name: string): string => join(dataFolder, 'tls', name);
  const isConfigured = tlsCertificateFile !== undefined && tlsKeyFile !== undefined;
  const [cert, key] = isConfigured ? [tlsCertificateFile, tlsKeyFile] : [own('server.pem'), own('server.key')];
  // If one of the three files is missing, the server issues a new certificate with a new key. Then there is no pair to
  // check.
  if (!isConfigured && ![own('server.json'), cert, key].every((path) => existsSync(path))) return;
  const pair = { cert: readFileSync(cert), key: readFileSync(key) };
  try {
    createSecureContext(pair);
  } catch (error) {
    const repair = isConfigured
      ? 'set BELFRY_TLS_CERTIFICATE and BELFRY_TLS_KEY to a matching pair'
      : `delete '${own('server.json')}' and start the server again, which issues a new pair`;
    throw new Error(`'${cert}' and '${key}' are not a certificate and its private key (${(error as Error).message}); ${repair}`);
  }
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Messages about a full disk or an exhausted quota. For an I/O error of SQLite, the free space determines whether the disk is full. */
const FULL = /ENOSPC|EDQUOT|EFBIG|database or disk is full/;
const PERHAPS_FULL = /disk I\/O error/;
/** Free space below which a disk counts as full. A first start writes less. */
const NEEDED_BYTES = 2 ** 20;

function fullFolder(error: Error, folders: readonly string[]): string | undefined {
  if (!FULL.test(error.message) && !PERHAPS_FULL.test(error.message)) return undefined;
  const isFull = (folder: string): boolean => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < NEEDED_BYTES;
  };
  return folders.find((folder) => existsSync(folder) && isFull(folder)) ?? (FULL.test(error.message) ? folders[0] : undefined);
}
