import type { LookupAttribute, TrailRow } from './trail-row.ts';

/**
 * Look-up keys of the trail: 32-bit hashes of account, region and one attribute. Equal keys may belong to different values, so a
 * look-up compares the records too. A client that causes equal keys on purpose only causes additional reads.
 */

/** A look-up: all events of an account in a region, or only those with a value of an attribute. */
export interface KeyFacts {
  readonly accountId: string;
  readonly region: string;
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string };
  /** Whether the look-up also finds data events. LookupEvents never does. */
  readonly withData?: true;
}

/** Numbers that distinguish the attributes. Stored keys depend on them, so they never change. */
// biome-ignore format: a table
const NUMBERS: Readonly<Record<LookupAttribute, number>> = {
  EventId: 1, EventName: 2, ReadOnly: 3, Username: 4, ResourceType: 5, ResourceName: 6, EventSource: 7, AccessKeyId: 8,
};

/** Codes of the first and the last digit and of the first letter of keys as strings. */
const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const LETTER_A = 0x61;

/** Length of a key as a string. */
const KEY_LENGTH = 8;

/** Continues an FNV-1a hash with a string. */
function hashOn(hash: number, text: string): number {
  let on = hash;
  for (let i = 0; i < text.length; i++) on = Math.imul(on ^ text.charCodeAt(i), 0x01000193);
  return on;
}

function placeHash(accountId: string, region: string): number {
  return hashOn(hashOn(0x811c9dc5, accountId), region);
}

function attributeHash(place: number, name: LookupAttribute, value: string): number {
  return hashOn(Math.imul(place ^ NUMBERS[name], 0x01000193), value);
}

/** Converts a hash to a key. Mixes the bits of the hash, so that the first bits of the keys are evenly distributed. */
function toKey(hash: number): number {
  let key = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  key = Math.imul(key ^ (key >>> 13), 0xc2b2ae35);
  return (key ^ (key >>> 16)) >>> 0;
}

/** Returns the key of a look-up. */
export function keyOf({ accountId, region, attribute }: KeyFacts): number {
  const place = placeHash(accountId, region);
  return toKey(attribute === undefined ? place : attributeHash(place, attribute.name, attribute.value));
}

/** Hexadecimal digits of each byte. */
const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Returns the string of a key in the format of `keysOf`. V8's `toString(16)` is slow for numbers of 32 bits. */
export function keyText(key: number): string {
  return `${BYTES[key >>> 24]}${BYTES[(key >>> 16) & 0xff]}${BYTES[(key >>> 8) & 0xff]}${BYTES[key & 0xff]}`;
}

/**
 * Returns the keys of records as one string. It omits most keys that a record shares with the record before it. Data
 * events have only the key of their ID.
 */
export function keysOf(rows: readonly TrailRow[]): string {
  let keys = '';
  let place = 0;
  let before: TrailRow | undefined;
  const add = (hash: number): void => {
    keys += keyText(toKey(hash));
  };
  for (const row of rows) {
    if (row.category !== undefined) {
      add(attributeHash(placeHash(row.accountId, row.region), 'EventId', row.eventId));
      continue;
    }
    if (before === undefined || before.accountId !== row.accountId || before.region !== row.region) {
      before = undefined;
      place = placeHash(row.accountId, row.region);
      add(place);
    }
    add(attributeHash(place, 'EventId', row.eventId));
    if (before?.eventName !== row.eventName) add(attributeHash(place, 'EventName', row.eventName));
    if (before?.eventSource !== row.eventSource) add(attributeHash(place, 'EventSource', row.eventSource));
    if (before?.readOnly !== row.readOnly) add(attributeHash(place, 'ReadOnly', String(row.readOnly)));
    if (row.userName !== undefined && before?.userName !== row.userName) add(attributeHash(place, 'Username', row.userName));
    if (row.accessKeyId !== undefined && before?.accessKeyId !== row.accessKeyId) add(attributeHash(place, 'AccessKeyId', row.accessKeyId));
    for (const [i, { type, name }] of row.resources.entries()) {
      const same = before?.resources[i];
      if (type !== undefined && same?.type !== type) add(attributeHash(place, 'ResourceType', type));
      if (same?.name !== name) add(attributeHash(place, 'ResourceName', name));
    }
    before = row;
  }
  return keys;
}

/** Returns the different keys of a string of `keysOf`. V8's `parseInt` is slow for numbers of 32 bits. */
export function parseKeys(keys: string): ReadonlySet<number> {
  const parsed = new Set<number>();
  for (let begin = 0; begin < keys.length; begin += KEY_LENGTH) {
    let key = 0;
    for (let i = begin; i < begin + KEY_LENGTH; i++) {
      const code = keys.charCodeAt(i);
      key = (key << 4) | (code <= DIGIT_NINE ? code - DIGIT_ZERO : code - LETTER_A + 10);
    }
    parsed.add(key >>> 0);
  }
  return parsed;
}

/** Reports whether a record belongs to the results of a look-up. */
export function matches(row: TrailRow, { accountId, region, attribute, withData }: KeyFacts): boolean {
  if ((row.category !== undefined && withData === undefined) || row.accountId !== accountId || row.region !== region) return false;
  return attribute === undefined || hasValue(row, attribute.name, attribute.value);
}

function hasValue(row: TrailRow, name: LookupAttribute, value: string): boolean {
  switch (name) {
    case 'EventId':
      return row.eventId === value;
    case 'EventName':
      return row.eventName === value;
    case 'ReadOnly':
      return String(row.readOnly) === value;
    case 'Username':
      return row.userName === value;
    case 'EventSource':
      return row.eventSource === value;
    case 'AccessKeyId':
      return row.accessKeyId === value;
    case 'ResourceType':
      return row.resources.some(({ type }) => type === value);
    case 'ResourceName':
      return row.resources.some((resource) => resource.name === value);
  }
}
