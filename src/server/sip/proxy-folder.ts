/** Writes the folder of the SIP proxy: its configuration, certificates and database. Kamailio reads no other file of Belfry. */
import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { getCACertificates } from 'node:tls';
import { requirePrivate } from '#core/file-access.ts';
import { tlsMaterial } from '../edge/tls.ts';
import { type Address, addressOrOff } from '../setting-types.ts';
import type { Settings } from '../settings.ts';
import { kamailioConfig, kamailioTlsConfig, SIP_FILES, type SipProxy } from './kamailio-config.ts';

/** Folder of Debian's statements for the tables of Kamailio in SQLite. */
const KAMAILIO_TABLES = '/usr/share/kamailio/db_sqlite';

/** Debian packages of the SIP proxy. */
export const KAMAILIO_PACKAGES = 'kamailio kamailio-tls-modules kamailio-extra-modules kamailio-utils-modules kamailio-sqlite-modules';

/**
 * Writes the files of the SIP proxy into `folder`, which it creates with mode 0700. Files have mode 0600. If root runs this, the files
 * belong to the owner of the folder. The databases of running calls and of records are only created, never replaced.
 *
 * @throws Error  the server has never started with its decision listener, other users can change the folder, a setting does not fit, or
 *   Kamailio's SQLite module is not installed
 */
export async function writeProxyFolder(settings: Settings, folder: string): Promise<void> {
  const files = decisionFiles(settings);
  const proxy = sipProxyOf(settings, folder, files);
  const config = kamailioConfig(proxy);
  const tables = kamailioTables();
  const owner = ownedFolder(folder);
  const write = (name: string, text: string | Uint8Array) => writeOwned(join(folder, name), text, owner);
  write(SIP_FILES.decisionCa, files.ca);
  if (proxy.tls !== undefined) {
    const { cert, key } = await sipCertificate(settings);
    write(SIP_FILES.certificate, cert);
    write(SIP_FILES.key, key);
    write(SIP_FILES.routeCa, routeCas(settings));
    write(SIP_FILES.tls, kamailioTlsConfig(folder));
  }
  for (const [name, statements] of Object.entries({ [SIP_FILES.calls]: `${tables}\n${RECORDS_TABLE}`, [SIP_FILES.records]: RECORDS_TABLE }))
    if (!existsSync(join(folder, name))) write(name, emptyDatabase(statements));
  write(SIP_FILES.config, config);
}

/** Facts that the server wrote when it opened its listeners for the SIP proxy. */
interface DecisionFiles {
  readonly token: string;
  readonly ca: string;
  readonly decisions: Address;
  readonly hep: Address | undefined;
}

function decisionFiles({ dataFolder, sipHep }: Settings): DecisionFiles {
  const read = (name: string) => readDecisionFile(join(dataFolder, 'sip', name));
  return {
    token: read('token').trim(),
    ca: read('ca.pem'),
    decisions: toAddress(read('address')),
    hep: sipHep === 'off' ? undefined : toAddress(read('hep-address')),
  };
}

function toAddress(text: string): Address {
  const address = addressOrOff.read(text.trim());
  if (address === undefined || address === 'off') throw new Error(`'${text}' is not an address of the server; start the server again`);
  return address;
}

/** Returns the facts of Kamailio's configuration. */
function sipProxyOf(settings: Settings, folder: string, { token, decisions, hep }: DecisionFiles): SipProxy {
  const { sipUdp, sipTcp, sipTls, sipCarriers, sipGateways, privateSipPeers } = settings;
  const setOnly = (address: Settings['sipUdp']) => (address === 'off' ? undefined : address);
  const networksOf = (items: readonly string[]) => items.filter((item) => isIPv4(item.replace(/\/[0-9]+$/, '')));
  return {
    folder,
    udp: setOnly(sipUdp),
    tcp: setOnly(sipTcp),
    tls: setOnly(sipTls),
    advertised: settings.sipAdvertised,
    decisions,
    token,
    hep,
    privateNetworks: networksOf([...privateSipPeers, ...sipCarriers, ...sipGateways.map(({ host }) => host)]),
    carrierNetworks: networksOf(sipCarriers),
    requestsPerSecond: settings.sipRequestsPerSecond,
    callMaxSeconds: settings.sipCallMaxSeconds,
  };
}

function readDecisionFile(path: string): string {
  if (!existsSync(path)) throw new Error(`'${path}' does not exist; start the server with BELFRY_SIP_DECISIONS first, which writes it`);
  return readFileSync(path, 'utf8');
}

async function sipCertificate(settings: Settings): Promise<{ readonly cert: string; readonly key: string }> {
  const { sipCertificateFile, sipKeyFile } = settings;
  if (sipCertificateFile !== undefined && sipKeyFile !== undefined) {
    requirePrivate(sipKeyFile, 'tls-key');
    return { cert: readFileSync(sipCertificateFile, 'utf8'), key: readFileSync(sipKeyFile, 'utf8') };
  }
  return await tlsMaterial(settings, Date.now(), (line) => console.error(`belfry sip: ${line}`));
}

/** Returns the CAs that may issue the certificates of TLS routes: those of the operator's file, else those of the operating system. */
function routeCas({ sipRouteCaFile }: Settings): string {
  if (sipRouteCaFile !== undefined) return readFileSync(sipRouteCaFile, 'utf8');
  const cas = new Set(getCACertificates('system'));
  if (cas.size === 0) throw new Error('the system has no list of CAs; run: apt-get install ca-certificates, or set BELFRY_SIP_ROUTE_CA');
  return [...cas].join('\n');
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Creates the folder and its folder for sockets. Returns the user that the files belong to, or undefined for this process's user. */
function ownedFolder(folder: string): Owner | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, gid, mode } = lstatSync(folder);
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot && uid !== process.geteuid?.()) throw new Error(`'${folder}' belongs to another user`);
  if ((mode & 0o077) !== 0) throw new Error(`other users can access '${folder}'; run: chmod 700 '${folder}'`);
  const owner = isRoot && uid !== 0 ? { uid, gid } : undefined;
  const run = join(folder, SIP_FILES.run);
  if (!existsSync(run)) {
    mkdirSync(run, { mode: 0o700 });
    // The owner of the folder could have replaced the new folder by a link, which `lchown` does not follow.
    if (owner !== undefined) lchownSync(run, owner.uid, owner.gid);
  }
  return owner;
}

/** Replaces a file. Never follows a link, because the owner of the folder is not trusted. */
function writeOwned(path: string, text: string | Uint8Array, owner: Owner | undefined): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, typeof text === 'string' ? Buffer.from(text) : text);
    if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function kamailioTables(): string {
  const files = ['standard-create.sql', 'dialog-create.sql'].map((name) => join(KAMAILIO_TABLES, name));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`'${missing}' does not exist; run: apt-get install ${KAMAILIO_PACKAGES}`);
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

/**
 * Table of the records of calls that the server has not accepted yet. In the database of the calls, it has those that were in memory when Kamailio ended.
 * Source: the module `mqueue`, `dbmode`.
 */
const RECORDS_TABLE = 'CREATE TABLE records (id INTEGER PRIMARY KEY NOT NULL, key VARCHAR(255) NOT NULL, val TEXT NOT NULL);';

/** Returns the bytes of a database with tables. It is written in a private folder, because SQLite follows links. */
function emptyDatabase(tables: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-sip-'));
  try {
    const path = join(folder, SIP_FILES.calls);
    const database = new DatabaseSync(path);
    // A reader must not block Kamailio, which writes each second.
    database.exec(`PRAGMA journal_mode = WAL;\n${tables}`);
    database.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
