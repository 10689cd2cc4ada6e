/** Digests of log files: the name, the content and the signature of one digest, in AWS's form. Pure: no store, no clock. */
import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { TrailName } from '#services/cloudtrail/tables/trails.ts';
import { logFolder } from './log-file.ts';
import type { DeliveredFile } from './tables/delivered-files.ts';

/** Names of the two algorithms, as digests contain them. Source: CloudTrail User Guide, "CloudTrail digest file structure". */
export const SIGNATURE_ALGORITHM = 'SHA256withRSA';
const HASH_ALGORITHM = 'SHA-256';

/** Names of the user metadata of a digest. Source: CloudTrail User Guide, "CloudTrail digest file structure". */
export const SIGNATURE_METADATA = { signature: 'signature', algorithm: 'signature-algorithm' } as const;

/** Bucket of a trail, and the parts of its keys that the trail decides. */
export interface DigestPlace {
  readonly bucket: string;
  readonly prefix?: string | undefined;
  /** ID of the organization, for an organization trail. */
  readonly organizationId?: string | undefined;
}

/** A digest to which the next digest refers. */
export interface WrittenDigest {
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the uncompressed digest, in lower-case hexadecimal. */
  readonly hash: string;
  /** Signature in lower-case hexadecimal. */
  readonly signature: string;
}

/** Everything that a digest contains. Start and end are whole seconds. */
export interface DigestFacts {
  readonly trail: TrailName;
  /** Account and region of the records in the log files. */
  readonly accountId: AccountId;
  readonly region: string;
  readonly place: DigestPlace;
  readonly start: Instant;
  readonly end: Instant;
  /** Fingerprint of the public key. */
  readonly fingerprint: string;
  /** Absent in the first digest of a chain. */
  readonly previous?: WrittenDigest | undefined;
  readonly files: readonly Pick<DeliveredFile, 'bucket' | 'key' | 'hash' | 'oldest' | 'newest'>[];
}

/**
 * Returns the key of a digest. The folder and the name contain the end time.
 *
 *     P/AWSLogs/123456789012/CloudTrail-Digest/eu-west-1/2026/11/29/123456789012_CloudTrail-Digest_eu-west-1_audit_us-east-1_20261129T210500Z.json.gz
 *
 * Source: CloudTrail User Guide, "CloudTrail digest file structure". Requirement LOG-11.
 */
export function digestKey({ trail, accountId, region, place, end }: Omit<DigestFacts, 'files'>): string {
  const folder = logFolder({ ...place, accountId, region, now: end }, 'CloudTrail-Digest');
  const time = isoSeconds(end).replaceAll(/[-:]/g, '');
  return `${folder}/${accountId}_CloudTrail-Digest_${region}_${trail.name}_${trail.homeRegion}_${time}.json.gz`;
}

/** Members of a digest, in AWS's order. */
export interface DigestDocument {
  readonly awsAccountId: string;
  readonly digestStartTime: string;
  readonly digestEndTime: string;
  readonly digestS3Bucket: string;
  readonly digestS3Object: string;
  readonly digestPublicKeyFingerprint: string;
  readonly digestSignatureAlgorithm: string;
  readonly newestEventTime: string | null;
  readonly oldestEventTime: string | null;
  readonly previousDigestS3Bucket: string | null;
  readonly previousDigestS3Object: string | null;
  readonly previousDigestHashValue: string | null;
  readonly previousDigestHashAlgorithm: string | null;
  readonly previousDigestSignature: string | null;
  readonly logFiles: readonly DigestedFile[];
}

/** A log file as a digest lists it. */
export interface DigestedFile {
  readonly s3Bucket: string;
  readonly s3Object: string;
  readonly hashValue: string;
  readonly hashAlgorithm: string;
  readonly newestEventTime: string;
  readonly oldestEventTime: string;
}

/**
 * Returns the content of a digest, before compression. Equal facts give equal bytes.
 *
 * Source: CloudTrail User Guide, "CloudTrail digest file structure"; requirement LOG-12. Assumed: no white space between members.
 */
export function digestText(facts: DigestFacts): string {
  const { accountId, place, start, end, fingerprint, previous, files } = facts;
  const document: DigestDocument = {
    awsAccountId: accountId,
    digestStartTime: isoSeconds(start),
    digestEndTime: isoSeconds(end),
    digestS3Bucket: place.bucket,
    digestS3Object: digestKey(facts),
    digestPublicKeyFingerprint: fingerprint,
    digestSignatureAlgorithm: SIGNATURE_ALGORITHM,
    newestEventTime: timeOf(files, ({ newest }) => newest, Math.max),
    oldestEventTime: timeOf(files, ({ oldest }) => oldest, Math.min),
    previousDigestS3Bucket: previous?.bucket ?? null,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous === undefined ? null : HASH_ALGORITHM,
    previousDigestSignature: previous?.signature ?? null,
    logFiles: files.map(({ bucket, key, hash, newest, oldest }) => ({
      s3Bucket: bucket,
      s3Object: key,
      hashValue: hash,
      hashAlgorithm: HASH_ALGORITHM,
      newestEventTime: isoSeconds(newest),
      oldestEventTime: isoSeconds(oldest),
    })),
  };
  return JSON.stringify(document);
}

type File = DigestFacts['files'][number];

/** Returns the newest or the oldest time of files, or null if there are no files. */
function timeOf(files: readonly File[], of: (file: File) => Instant, choose: (a: number, b: number) => number): string | null {
  const [first, ...others] = files.map(of);
  return first === undefined ? null : isoSeconds(others.reduce((a, b) => choose(a, b) as Instant, first));
}

/** Returns the SHA-256 of bytes in lower-case hexadecimal. */
export function sha256Hex(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Returns the string that the signature covers. `hash` is the SHA-256 of the uncompressed digest.
 *
 * Source: CloudTrail User Guide, "Custom implementations of CloudTrail log file integrity validation"; requirement LOG-13.
 */
export function stringToSign(
  document: Pick<DigestDocument, 'digestEndTime' | 'digestS3Bucket' | 'digestS3Object' | 'previousDigestSignature'>,
  hash: string,
): string {
  const { digestEndTime, digestS3Bucket, digestS3Object, previousDigestSignature } = document;
  return [digestEndTime, `${digestS3Bucket}/${digestS3Object}`, hash, previousDigestSignature ?? 'null'].join('\n');
}

/** Reads a public key in the form of ListPublicKeys: PKCS #1, as DER. @throws Error  the bytes are not such a key */
export function readPublicKey(der: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'pkcs1' });
}

/** Reports whether a signature in hexadecimal is valid for a text. */
export function isSigned(text: string, signature: string, publicKey: KeyObject): boolean {
  if (!/^(?:[0-9a-f]{2})+$/.test(signature)) return false;
  const key = { key: publicKey, padding: constants.RSA_PKCS1_PADDING };
  return verify('sha256', Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'hex'));
}
