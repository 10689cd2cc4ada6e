import { AwsError } from './errors.ts';

/** Bytes of an object. `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the bytes that a `Range` header selects, or undefined for the whole object. A header that is not one range of bytes is ignored,
 * as RFC 9110 §14.2 allows.
 *
 * @throws InvalidRange  the range begins after the end of the object
 * Recorded: LocalStack's snapshots of AWS, `test_range_header_body_length` and `test_get_range_object_headers`.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const unsatisfiable = () =>
    new AwsError('InvalidRange', 'The requested range is not satisfiable', { ActualObjectSize: size, RangeRequested: header });
  if (first === '') {
    if (Number(last) === 0 || size === 0) throw unsatisfiable();
    return { start: Math.max(0, size - Number(last)), end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable();
  return { start, end };
}
