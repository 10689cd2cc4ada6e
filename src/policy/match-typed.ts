import type { Operator } from './operators.ts';
import { type Piece, plainText } from './pattern.ts';
import type { RequestRecord } from './request.ts';
import { takeSteps } from './steps.ts';
import type { Meets } from './value-tests.ts';
import { type Address, type AddressRange, inRange, newAddress, readAddress, toBytes, toRange } from './values.ts';

/** Parses the values of a policy. Omits invalid values, which match nothing. */
export function constants(values: readonly (readonly Piece[])[], read: (text: string) => number): Float64Array {
  return Float64Array.from(values.map((pieces) => read(plainText(pieces) ?? '')).filter((value) => !Number.isNaN(value)));
}

/**
 * Returns a function that compares numbers, times or booleans. An invalid value of the request or the policy matches
 * nothing.
 */
export function orderMeets({ relation }: Operator, wanted: Float64Array, read: (record: RequestRecord, value: string) => number): Meets {
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + wanted.length);
    const number = read(record, value);
    for (let i = 0; i < wanted.length; i++) {
      const other = wanted[i] as number;
      switch (relation) {
        case '=':
          if (number === other) return true;
          break;
        case '<':
          if (number < other) return true;
          break;
        case '<=':
          if (number <= other) return true;
          break;
        case '>':
          if (number > other) return true;
          break;
        case '>=':
          if (number >= other) return true;
          break;
      }
    }
    return false;
  };
}

/** Returns a function that compares a Base64 value of a request with the values of a policy, by their bytes. */
export function binaryMeets(
  values: readonly (readonly Piece[])[],
  read: (record: RequestRecord, value: string) => string | null | undefined,
): Meets {
  const wanted = new Set(values.flatMap((pieces) => toBytes(plainText(pieces) ?? ' ') ?? []));
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + (value.length >>> 2));
    const bytes = read(record, value);
    return typeof bytes === 'string' && wanted.has(bytes);
  };
}

/** Returns a function that reports whether an IP address is in one of a policy's address ranges. */
export function addressMeets(values: readonly (readonly Piece[])[], read: (record: RequestRecord, value: string) => Address): Meets {
  const ranges = values.flatMap((pieces) => toRange(plainText(pieces) ?? '') ?? []);
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + ranges.length);
    const address = read(record, value);
    for (let i = 0; i < ranges.length; i++) if (inRange(address, ranges[i] as AddressRange)) return true;
    return false;
  };
}

/** Parses an IP address. For an invalid address, the result has the family 0. */
export function toAddress(text: string): Address {
  const address = newAddress();
  readAddress(text, address);
  return address;
}
