/**
 * Verifies a folder of delivered files without the server: log files and digests of one bucket, whose paths are the keys. It finds
 * everything that `aws cloudtrail validate-logs` finds, and also data after the end of a file and a deleted newest digest.
 */
import type { KeyObject } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeliveredRecord, RecordedFile } from './delivered-record.ts';
import { type DigestDocument, isSigned, readPublicKey, SIGNATURE_METADATA, sha256Hex, stringToSign } from './digest.ts';
import { unpackMember } from './gzip-member.ts';
import { METADATA_SUFFIX } from './targets/folder.ts';

/** A problem of one file. `key` is its path in the folder. */
export interface FileProblem {
  readonly key: string;
  readonly problem: string;
}

/** Result of a verification. */
export interface VerifiedFiles {
  readonly digests: number;
  readonly logs: number;
  /** Problems in the order of the files' times, the earliest first. Empty if the files are intact. */
  readonly problems: readonly FileProblem[];
  /** Facts that are not problems, such as a time without logging. */
  readonly notes: readonly string[];
}

/** Largest file, and largest content of a file, in bytes. Log files of the server have about 4 MiB. */
const FILE_MAX_BYTES = 2 ** 26;
const CONTENT_MAX_BYTES = 2 ** 28;

/** Keys of log files and digests. Source: CloudTrail User Guide; requirements LOG-9, LOG-11. */
const KEY = /(?:^|\/)AWSLogs\/(?:o-[a-z0-9]+\/)?\d{12}\/CloudTrail(-Digest)?\/[a-z0-9-]+\/\d{4}\/\d{2}\/\d{2}\/[^/]+\.json\.gz$/;
/** Chain and time in the name of a digest. */
const DIGEST_NAME = /([^/]+)_(\d{8}T\d{6}Z)\.json\.gz$/;
/** Time in the name of each file, to minutes. */
const NAME_TIME = /_(\d{8}T\d{4})/;

/** A digest that could be read. */
interface Digest {
  readonly key: string;
  readonly chain: string;
  readonly hash: string;
  readonly document: DigestDocument;
  /** Signature that is stored with the file, if any. */
  readonly signature?: string | undefined;
}

/** Verifies the files of `folder`. @throws Error  the folder cannot be read */
export async function verifyFiles(folder: string, record: DeliveredRecord): Promise<VerifiedFiles> {
  const { digestKeys, logKeys } = await keysIn(folder);
  const problems: FileProblem[] = [];
  const notes: string[] = [];
  const report = (key: string, problem: string): void => void problems.push({ key, problem });
  const digests = new Map<string, Digest>();
  for (const key of digestKeys) {
    const digest = await readDigest(folder, key);
    if ('problem' in digest) report(key, digest.problem);
    else digests.set(key, digest);
  }
  const buckets = new Set([...digests.values()].map(({ document }) => document.digestS3Bucket));
  const [bucket = ''] = buckets;
  if (buckets.size > 1)
    throw new Error(`the digests name several buckets (${[...buckets].join(', ')}); verify the files of one bucket at a time`);
  const place: Place = { folder, bucket, digests, present: new Set(digestKeys), report, notes };

  verifySignatures(place, record);
  verifyLinks(place);
  const listed = await verifyListed(place);
  await verifyRecord(place, record, listed);
  const unlisted = logKeys.filter((key) => !listed.has(key)).length;
  if (unlisted > 0) notes.push(`${unlisted} log files are in no digest`);
  if (record.last === undefined) notes.push('without the database, a deleted newest digest and its log files are not noticed');
  return { digests: digestKeys.length, logs: logKeys.length, problems: problems.toSorted(byTime), notes };
}

interface Place {
  readonly folder: string;
  readonly bucket: string;
  /** Digests that could be read, by key. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Keys of all digests in the folder. */
  readonly present: ReadonlySet<string>;
  readonly report: (key: string, problem: string) => void;
  readonly notes: string[];
}

function byTime(a: FileProblem, b: FileProblem): number {
  const [timeA = '', timeB = ''] = [a, b].map(({ key }) => NAME_TIME.exec(key)?.[1]);
  return timeA < timeB || (timeA === timeB && a.key < b.key) ? -1 : 1;
}

/** Returns the keys of the files in a folder. Does not follow symbolic links. */
async function keysIn(folder: string): Promise<{ readonly digestKeys: readonly string[]; readonly logKeys: readonly string[] }> {
  const [digestKeys, logKeys]: [string[], string[]] = [[], []];
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const key = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) await visit(key);
      const kind = entry.isFile() ? KEY.exec(key) : null;
      if (kind !== null) (kind[1] === undefined ? logKeys : digestKeys).push(key);
    }
  };
  await visit('');
  return { digestKeys: digestKeys.toSorted(), logKeys: logKeys.toSorted() };
}

/** Reads the content of a gzip file. */
async function contentOf(folder: string, key: string): Promise<{ readonly content: Buffer } | { readonly problem: string }> {
  const path = join(folder, key);
  try {
    const status = await lstat(path);
    if (!status.isFile()) return { problem: 'is not a file' };
    if (status.size > FILE_MAX_BYTES) return { problem: `has more than ${FILE_MAX_BYTES} bytes` };
    return await unpackMember(await readFile(path), CONTENT_MAX_BYTES);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { problem: code === 'ENOENT' ? 'not found' : `cannot be read (${code ?? 'unknown error'})` };
  }
}

async function readDigest(folder: string, key: string): Promise<Digest | { readonly problem: string }> {
  const read = await contentOf(folder, key);
  if ('problem' in read) return read;
  const { content } = read;
  const document = parseDigest(content.toString('utf8'));
  const chain = chainOf(key);
  if (document === undefined || chain === undefined) return { problem: 'invalid format' };
  if (document.digestS3Object !== key) return { problem: 'has been moved from its original location' };
  return { key, chain, hash: sha256Hex(content), document, signature: await storedSignature(folder, key) };
}

const TEXTS = ['digestStartTime', 'digestEndTime', 'digestS3Bucket', 'digestS3Object', 'digestPublicKeyFingerprint'] as const;
const PREVIOUS = ['previousDigestS3Bucket', 'previousDigestS3Object', 'previousDigestHashValue', 'previousDigestSignature'] as const;

function parseDigest(text: string): DigestDocument | undefined {
  try {
    const found = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const isDigest =
      TEXTS.every((name) => typeof found?.[name] === 'string') &&
      new Set(PREVIOUS.map((name) => (found?.[name] === null ? 'null' : typeof found?.[name]))).size === 1 &&
      ['string', 'object'].includes(typeof found?.[PREVIOUS[0]]) &&
      Array.isArray(found?.['logFiles']) &&
      found['logFiles'].every((log) => ['s3Bucket', 's3Object', 'hashValue'].every((name) => typeof log?.[name] === 'string'));
    return isDigest ? (found as unknown as DigestDocument) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the signature that a folder as a target stores next to a digest. Downloads from a bucket lack it. */
async function storedSignature(folder: string, key: string): Promise<string | undefined> {
  try {
    const metadata = JSON.parse(await readFile(join(folder, `${key}${METADATA_SUFFIX}`), 'utf8')) as Readonly<
      Record<string, unknown>
    > | null;
    const signature = metadata?.[SIGNATURE_METADATA.signature];
    return typeof signature === 'string' ? signature : undefined;
  } catch {
    return undefined;
  }
}

/** Verifies the signature of each digest: the one that the next digest or the database names, and the one that is stored with it. */
function verifySignatures({ digests, report }: Place, { publicKeys, last = [], pending = [] }: DeliveredRecord): void {
  const signatures = new Map<string, string[]>();
  const add = (key: string | null, signature: string | null | undefined): void => {
    if (key !== null && signature) signatures.set(key, [...(signatures.get(key) ?? []), signature]);
  };
  for (const { key, signature, document } of digests.values()) {
    add(key, signature);
    add(document.previousDigestS3Object, document.previousDigestSignature);
  }
  for (const { key, signature } of [...last, ...pending]) add(key, signature);
  for (const { key, hash, document } of digests.values()) {
    const publicKey = publicKeyOf(publicKeys, document.digestPublicKeyFingerprint);
    const known = signatures.get(key) ?? [];
    if (publicKey === undefined) report(key, `public key not found for fingerprint ${document.digestPublicKeyFingerprint}`);
    else if (known.length === 0)
      report(key, `has no signature: no later digest or database names it, and there is no file '${key}${METADATA_SUFFIX}'`);
    else if (!known.every((signature) => isSigned(stringToSign(document, hash), signature, publicKey)))
      report(key, 'signature verification failed');
  }
}

function publicKeyOf(publicKeys: DeliveredRecord['publicKeys'], fingerprint: string): KeyObject | undefined {
  const der = publicKeys.get(fingerprint);
  try {
    return der && readPublicKey(der);
  } catch {
    return undefined;
  }
}

/** Verifies that each digest names the one before it in its chain. */
function verifyLinks({ bucket, digests, present, report, notes }: Place): void {
  for (const chain of Map.groupBy(digests.values(), (digest) => digest.chain).values()) {
    const inOrder = chain.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    for (const [i, { key, document }] of inOrder.entries()) {
      const before = inOrder[i - 1];
      const previous = document.previousDigestS3Object;
      if (previous === null) {
        if (before !== undefined)
          notes.push(`no log files were delivered between ${before.document.digestEndTime} and ${document.digestStartTime}`);
        continue;
      }
      if (document.previousDigestS3Bucket !== bucket)
        notes.push(`'${key}' follows a digest in bucket '${document.previousDigestS3Bucket}'`);
      else if (!present.has(previous)) report(previous, 'not found');
      else if (digests.get(previous)?.hash !== document.previousDigestHashValue)
        report(previous, "hash value doesn't match the next digest");
      else if (before !== undefined && before.key !== previous) report(before.key, 'is not in the chain of digests');
    }
  }
}

/** Verifies the log files that digests list. Returns their keys. */
async function verifyListed({ folder, bucket, digests, report, notes }: Place): Promise<ReadonlySet<string>> {
  const listed = new Set<string>();
  let elsewhere = 0;
  for (const { document } of digests.values()) {
    for (const { s3Bucket, s3Object, hashValue } of document.logFiles) {
      if (s3Bucket !== bucket) elsewhere++;
      else if (!listed.has(s3Object)) {
        listed.add(s3Object);
        await verifyHash(folder, { bucket, key: s3Object, hash: hashValue }, report);
      }
    }
  }
  if (elsewhere > 0) notes.push(`${elsewhere} log files are in another bucket`);
  return listed;
}

async function verifyHash(folder: string, { key, hash }: RecordedFile, report: Place['report']): Promise<void> {
  if (!KEY.test(key) || key.split('/').includes('..')) return report(key, 'is not the key of a log file');
  const read = await contentOf(folder, key);
  if ('problem' in read) report(key, read.problem);
  else if (sha256Hex(read.content) !== hash) report(key, "hash value doesn't match");
}

/** Compares the folder with the database: the last digest of each chain, and the log files after it. */
async function verifyRecord(
  { folder, bucket, digests, present, report }: Place,
  record: DeliveredRecord,
  listed: ReadonlySet<string>,
): Promise<void> {
  const { last = [], pending = [], waiting = [] } = record;
  const mayExist = new Map(pending.map((digest) => [digest.key, digest]));
  const known = new Map(last.filter((digest) => digest.bucket === bucket).map((digest) => [digest.key, digest]));
  for (const { key, hash } of known.values()) {
    if (!present.has(key)) report(key, 'not found: it is the newest digest of its chain');
    else if (digests.has(key) && digests.get(key)?.hash !== hash) report(key, "hash value doesn't match the database");
  }
  for (const keys of Map.groupBy(known.keys(), chainOf).values()) {
    for (const { key, hash } of laterThan(keys.toSorted().at(-1) as string, digests))
      if (mayExist.get(key)?.hash !== hash) report(key, 'is not in the database');
  }
  for (const file of waiting) if (file.bucket === bucket && !listed.has(file.key)) await verifyHash(folder, file, report);
}

/** Returns the name of the chain that a digest belongs to. */
function chainOf(key: string): string | undefined {
  return DIGEST_NAME.exec(key)?.[1];
}

function laterThan(newest: string, digests: Place['digests']): readonly Digest[] {
  return [...digests.values()].filter(({ key, chain }) => chain === chainOf(newest) && key > newest);
}
