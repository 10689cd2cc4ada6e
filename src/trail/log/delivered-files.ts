/** Checks delivered log files against the trail: each record of a file must be a record of the trail, byte for byte. */

import { hash } from 'node:crypto';
import { constants, crc32, inflateRawSync } from 'node:zlib';
import { counted } from '#core/counted.ts';

/** Largest uncompressed file. The server delivers at most some megabytes in a file. */
const FILE_BYTES_MAX = 2 ** 28;
/** Header of the gzip format without optional fields, as the server writes it, and its trailer. Source: RFC 1952, section 2.3. */
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const MAGIC = [0x1f, 0x8b, 8, 0] as const;

const START = Buffer.from('{"Records":[');
const END = Buffer.from(']}');
const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA] = ['"', '\\', '{', '}', ','].map((each) => each.charCodeAt(0));

/** A log file that is not exactly in the format that the server writes. The message is one line. */
export class DeliveredFileError extends Error {}

/**
 * Returns the bytes of the records of a compressed log file, in order.
 *
 * Accepts one gzip member without bytes after it: other programs read a second member as part of the file, but
 * `aws cloudtrail validate-logs` does not check it.
 *
 * @throws DeliveredFileError  the file has another form
 */
export function recordsOfFile(file: Uint8Array): readonly Uint8Array[] {
  const text = gunzipOne(file);
  if (!text.subarray(0, START.length).equals(START) || !text.subarray(-END.length).equals(END))
    throw new DeliveredFileError('it is not a list of records');
  const records: Uint8Array[] = [];
  let [depth, begin, isString] = [0, START.length, false];
  const end = text.length - END.length;
  for (let at = begin; at < end; at++) {
    const byte = text[at];
    if (isString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE) depth--;
    else if (byte === COMMA && depth === 0) {
      records.push(text.subarray(begin, at));
      begin = at + 1;
    }
  }
  if (depth !== 0 || isString) throw new DeliveredFileError('its records are incomplete');
  if (begin < end) records.push(text.subarray(begin, end));
  return records;
}

function gunzipOne(file: Uint8Array): Buffer {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.length < HEADER_BYTES + TRAILER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new DeliveredFileError('it is not a gzip file of the server');
  const body = bytes.subarray(HEADER_BYTES);
  const { text, consumed } = inflated(body);
  if (HEADER_BYTES + consumed + TRAILER_BYTES !== bytes.length) throw new DeliveredFileError('it has bytes after its end');
  if (body.readUInt32LE(consumed) !== crc32(text) || body.readUInt32LE(consumed + 4) !== text.length % 2 ** 32)
    throw new DeliveredFileError('its checksum is wrong');
  return text;
}

/** Decompresses, and returns how many bytes the compressed data has. */
function inflated(body: Buffer): { readonly text: Buffer; readonly consumed: number } {
  try {
    const options = { info: true, maxOutputLength: FILE_BYTES_MAX, finishFlush: constants.Z_SYNC_FLUSH } as const;
    const { buffer, engine } = inflateRawSync(body, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { text: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw new DeliveredFileError(`it cannot be decompressed: ${(error as Error).message}`);
  }
}

const TIME_KEY = '"eventTime":"';
const TIME_LENGTH = '2026-01-01T00:00:00Z'.length;

/** Returns the `eventTime` of a record. It precedes all members with text of callers, and quotes in texts are escaped. */
function timeOf(record: Uint8Array): string {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  const at = bytes.indexOf(TIME_KEY);
  return at < 0 ? '' : bytes.toString('latin1', at + TIME_KEY.length, at + TIME_KEY.length + TIME_LENGTH);
}

/** Records of delivered files that were not found in the trail so far. */
export interface DeliveredRecords {
  /** Adds the records of a file. @throws DeliveredFileError  the file has another form */
  add(name: string, file: Uint8Array): void;
  /** Removes a record that the trail has. */
  found(sha256: Uint8Array): void;
  /**
   * Returns the files with records that the trail does not have, one line for each. Records until `lostUntil` (ISO 8601), the time of an
   * accepted restore, are expected to be missing, so their lines are notes.
   */
  missing(lostUntil?: string): { readonly problems: readonly string[]; readonly notes: readonly string[] };
  /** Number of added records. */
  count(): number;
}

/** Creates an empty collection. It needs about 150 bytes for each different record. */
export function deliveredRecords(): DeliveredRecords {
  const missing = new Map<string, { readonly name: string; readonly index: number; readonly time: string }>();
  let count = 0;
  return {
    add(name, file) {
      for (const [index, record] of recordsOfFile(file).entries()) {
        missing.set(hash('sha256', record, 'base64'), { name, index, time: timeOf(record) });
        count++;
      }
    },
    found(sha256) {
      missing.delete(Buffer.from(sha256).toString('base64'));
    },
    missing(lostUntil) {
      const until = lostUntil === undefined ? '' : `${lostUntil.slice(0, TIME_LENGTH - 1)}Z`;
      const first = new Map<string, number>();
      const lost = new Map<string, number>();
      for (const { name, index, time } of missing.values()) {
        if (time !== '' && time <= until) lost.set(name, (lost.get(name) ?? 0) + 1);
        else first.set(name, Math.min(index, first.get(name) ?? index));
      }
      return {
        problems: [...first].map(([name, index]) => `delivered file '${name}': record ${index + 1} is not in the trail`),
        notes: [...lost].map(
          ([name, records]) => `delivered file '${name}' is the only copy of ${counted(records, 'record')} before the accepted restore`,
        ),
      };
    },
    count: () => count,
  };
}
