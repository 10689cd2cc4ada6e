/** Text forms of positions in log events: tokens of pages, and IDs of events. */
import type { EventKey } from './event-heap.ts';
import type { ReadPosition } from './event-reader.ts';
import type { PackPlace } from './tables/packs.ts';

/** Digits of a time in milliseconds, of the ID of a pack, and of an index in a pack. */
const AT = 15;
const PACK = 16;
const INDEX = 6;
const POSITION_DIGITS = 3 * (AT + PACK) + INDEX;
const DIGITS = /^\d+$/;

/** Largest time of an event that a position can have. */
export const TIME_MAX = 10 ** (AT - 1);

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/**
 * Returns the ID of an event: 56 digits, as on AWS. IDs have the order of the events.
 *
 * Source: CloudWatch Logs API reference, FilterLogEvents, Examples.
 */
export function eventIdOf({ at, packId, index }: EventKey): string {
  return padded(at, 20) + padded(packId, 20) + padded(index, 16);
}

/** Returns a position as digits. All nines stand for an absent member. */
export function positionText({ after, floor, until }: ReadPosition): string {
  const place = (of: PackPlace | undefined): string =>
    of === undefined ? '9'.repeat(AT + PACK) : padded(of.at, AT) + padded(of.packId, PACK);
  return place(after) + padded(after?.index ?? 0, INDEX) + place(floor) + place(until);
}

/** Returns the position of a text, or `undefined` if the text is not a position. */
export function parsePosition(text: string): ReadPosition | undefined {
  if (text.length !== POSITION_DIGITS || !DIGITS.test(text)) return undefined;
  const places = [0, AT + PACK + INDEX, 2 * (AT + PACK) + INDEX].map((from) => placeIn(text.slice(from, from + AT + PACK)));
  if (places.includes('invalid')) return undefined;
  const [key, floor, until] = places as (PackPlace | undefined)[];
  const index = Number(text.slice(AT + PACK, AT + PACK + INDEX));
  return { after: key && { ...key, index }, floor, until };
}

function placeIn(text: string): PackPlace | 'invalid' | undefined {
  if (/^9+$/.test(text)) return undefined;
  const place = { at: Number(text.slice(0, AT)), packId: Number(text.slice(AT)) };
  return Number.isSafeInteger(place.packId) ? place : 'invalid';
}
