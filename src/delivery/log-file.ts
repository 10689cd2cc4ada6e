/** Log files of trails: the name and the content of one file. */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

/** Headers of log files and digests. Source: record.md A3. Assumed: AWS sends the same values. */
export const LOG_FILE_HEADERS = { contentType: 'application/json', contentEncoding: 'gzip' } as const;

/** Account, region, time and trail of a log file. */
export interface LogFilePlace {
  /** Prefix that the trail's owner chose, without a slash at its end. */
  readonly prefix?: string | undefined;
  /** ID of the organization, for an organization trail. */
  readonly organizationId?: string | undefined;
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
}

const compress = promisify(gzip);

/**
 * Returns the key of a log file.
 *
 *     P/AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/29/123456789012_CloudTrail_us-east-1_20261129T2105Z_x1Y2z3A4b5C6d7E8.json.gz
 *
 * Source: CloudTrail User Guide, "CloudTrail log file examples", "log file name format". Requirement LOG-9.
 */
export function logFileKey(place: LogFilePlace, random: (bytes: number) => Uint8Array): string {
  const { accountId, region, now } = place;
  const time = `${new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
  return `${logFolder(place, 'CloudTrail')}/${accountId}_CloudTrail_${region}_${time}_${uniqueString(random)}.json.gz`;
}

/** Returns the folder of the files of one account, region and day, without a slash at its end. */
export function logFolder(
  { prefix, organizationId, accountId, region, now }: LogFilePlace,
  kind: 'CloudTrail' | 'CloudTrail-Digest',
): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '/');
  return [...(prefix ? [prefix] : []), 'AWSLogs', ...(organizationId ? [organizationId] : []), accountId, kind, region, day].join('/');
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UNIQUE_LENGTH = 16;
/** Largest multiple of 62 in a byte. Larger bytes are not used, so that all characters are equally frequent. */
const BYTES_USED = 248;

/** Returns 16 random letters and digits. */
function uniqueString(random: (bytes: number) => Uint8Array): string {
  let text = '';
  while (text.length < UNIQUE_LENGTH) {
    for (const byte of random(UNIQUE_LENGTH))
      if (byte < BYTES_USED && text.length < UNIQUE_LENGTH) text += ALPHANUMERIC[byte % ALPHANUMERIC.length];
  }
  return text;
}

/** Content of a log file. */
export interface LogFileContent {
  /** Compressed content. */
  readonly body: Uint8Array;
  /** SHA-256 of the uncompressed content, in lower-case hexadecimal. */
  readonly hash: string;
  readonly oldest: Instant;
  readonly newest: Instant;
}

/**
 * Creates the content of a log file. The bytes of each record are the stored bytes. At least one record is required. Compresses outside
 * this thread.
 */
export async function logFileContent(rows: readonly Pick<TrailRow, 'document' | 'at'>[]): Promise<LogFileContent> {
  const text = textOf(rows);
  const digest = hash('sha256', text, 'hex');
  const body = await compress(text);
  let [oldest, newest] = [Number.POSITIVE_INFINITY, 0];
  for (const { at } of rows) [oldest, newest] = [Math.min(oldest, at), Math.max(newest, at)];
  return { body, hash: digest, oldest: instant(oldest), newest: instant(newest) };
}

const [BEGIN, END] = ['{"Records":[', ']}'];
const COMMA = 0x2c;

/** Maximum number of bytes of a character in UTF-8. */
const CHARACTER_BYTES_MAX = 4;

/**
 * Returns the content of a log file in UTF-8. Writes each document into the buffer, because one joined string takes seven times as long.
 * To count the bytes takes as long as to write them, so this counts only if a document is not ASCII.
 */
function textOf(rows: readonly Pick<TrailRow, 'document'>[]): Buffer {
  const units = (document: string): number => document.length;
  return textOfLength(rows, units) ?? (textOfLength(rows, Buffer.byteLength) as Buffer);
}

/** Returns the content if `lengthOf` returns the number of bytes of each document. Otherwise returns `undefined`. */
function textOfLength(rows: readonly Pick<TrailRow, 'document'>[], lengthOf: (document: string) => number): Buffer | undefined {
  let length = BEGIN.length + rows.length + END.length;
  for (const { document } of rows) length += lengthOf(document);
  // The rest of the buffer has room for a character, so that a longer document never appears to have the right length.
  const text = Buffer.allocUnsafeSlow(length + CHARACTER_BYTES_MAX);
  let at = text.write(BEGIN, 'latin1');
  for (const [i, { document }] of rows.entries()) {
    if (i > 0) text[at++] = COMMA;
    const written = text.write(document, at);
    if (written !== lengthOf(document)) return undefined;
    at += written;
  }
  return text.subarray(0, at + text.write(END, at, 'latin1'));
}

/** Largest total length of the records of a log file, in UTF-16 code units. One more record can exceed it. */
export const FILE_UNITS_MAX = 2 ** 22;

/** Divides records into files, in order. */
export function filesOf<R extends Pick<TrailRow, 'document'>>(rows: readonly R[], maxUnits = FILE_UNITS_MAX): readonly (readonly R[])[] {
  const files: R[][] = [];
  let units = maxUnits;
  for (const row of rows) {
    if (units >= maxUnits) {
      files.push([]);
      units = 0;
    }
    (files.at(-1) as R[]).push(row);
    units += row.document.length;
  }
  return files;
}
