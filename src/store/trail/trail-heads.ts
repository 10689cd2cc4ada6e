/** Heads of a pack: the facts of its records, without their documents. Reads them from their text, because most readers need few of them. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TrailRow } from './trail-row.ts';

/**
 * Facts of a record, without its document. `length` is the length of the document in UTF-16 code units. Only the heads of
 * data events have `data`.
 */
export type Head = readonly [
  eventId: string,
  accountId: AccountId,
  region: string,
  at: number,
  eventName: string,
  eventSource: string,
  readOnly: 0 | 1,
  userName: string | null,
  accessKeyId: string | null,
  resources: TrailRow['resources'],
  length: number,
  data?: 1,
];

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isResource = (value: unknown): boolean => {
  const { type, name } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && (type === undefined || typeof type === 'string');
};

/** Reports whether a value is the head of a record, because someone can have altered it in the database. */
export function isHead(value: unknown): value is Head {
  if (!Array.isArray(value)) return false;
  const [eventId, accountId, region, at, eventName, eventSource, readOnly, userName, accessKeyId, resources, length] = value as unknown[];
  return (
    [eventId, accountId, region, eventName, eventSource].every((each) => typeof each === 'string') &&
    isCount(at) &&
    (readOnly === 0 || readOnly === 1) &&
    isTextOrNull(userName) &&
    isTextOrNull(accessKeyId) &&
    Array.isArray(resources) &&
    resources.every(isResource) &&
    isCount(length)
  );
}

/** ID, account, region, time, name and document length of a record, which are known without its document. */
export interface RecordFacts {
  readonly eventId: string;
  readonly accountId: AccountId;
  readonly region: string;
  readonly eventName: string;
  readonly at: Instant;
  readonly length: number;
}

/** Returns facts of the records of a pack, in the order of their commits. Does not need the documents. */
export function factsOf(heads: string): readonly RecordFacts[] {
  return (JSON.parse(heads) as readonly Head[]).map(toFacts);
}

/** Returns the same facts as `factsOf`, or `undefined` if someone altered the heads in the database, so that they have another form. */
export function intactFactsOf(heads: string): readonly RecordFacts[] | undefined {
  try {
    const parsed: unknown = JSON.parse(heads);
    return Array.isArray(parsed) && parsed.every(isHead) ? parsed.map(toFacts) : undefined;
  } catch {
    return undefined;
  }
}

function toFacts(head: Head): RecordFacts {
  return { eventId: head[0], accountId: head[1], region: head[2], at: head[3] as Instant, eventName: head[4], length: head[10] };
}

/**
 * End of a head and begin of the next one, whose event ID begins with a letter or a digit. A string that ends with `],[` looks like it, but a
 * comma or a bracket follows its quotation mark.
 */
const BORDER = '],["';
/** Codes of the characters after the quotation mark that ends a string in a head. */
const AFTER_STRING: ReadonlySet<number> = new Set([...',]}:'].map((character) => character.charCodeAt(0)));
const [QUOTE, COMMA, OPEN, CLOSE, ZERO, NINE] = [0x22, 0x2c, 0x5b, 0x5d, 0x30, 0x39];

/**
 * Returns the same facts as `factsOf`. Reads only the account and the time of each record at once, which takes a fifth of the time, and parses
 * a head if other facts are needed. The facts keep the text of the pack in memory.
 */
export function lazyFactsOf(heads: string): readonly RecordFacts[] {
  // Without a backslash, each quotation mark begins or ends a string. Only names that clients choose can have one.
  if (heads.includes('\\') || heads.charCodeAt(0) !== OPEN || heads.charCodeAt(heads.length - 1) !== CLOSE) return factsOf(heads);
  const facts: RecordFacts[] = [];
  // The heads are a list, so the first head begins after its bracket.
  for (let begin = 1; begin < heads.length - 1; ) {
    const end = headEnd(heads, begin);
    const read = lazyFacts(heads, begin, end);
    if (read === undefined) return factsOf(heads);
    facts.push(read);
    begin = end + 1;
  }
  return facts;
}

/** Reads the begin of a head: `["ID","ACCOUNT","REGION",TIME,`. Returns `undefined` if it has another form. */
function lazyFacts(heads: string, begin: number, end: number): RecordFacts | undefined {
  if (heads.charCodeAt(begin) !== OPEN || heads.charCodeAt(begin + 1) !== QUOTE || heads.charCodeAt(end - 1) !== CLOSE) return undefined;
  const account = heads.indexOf('","', begin + 2) + 3;
  const region = heads.indexOf('","', account) + 3;
  let at = heads.indexOf('"', region) + 2;
  let time = 0;
  let code = heads.charCodeAt(at);
  const start = at;
  for (; code >= ZERO && code <= NINE; code = heads.charCodeAt(++at)) time = time * 10 + (code - ZERO);
  if (at === start || code !== COMMA || at > end || heads.charCodeAt(start - 1) !== COMMA) return undefined;
  return new LazyFacts(heads, [begin, region, end], heads.slice(account, region - 3) as AccountId, time as Instant);
}

/** Facts of one head, whose text is parsed if it is needed. */
class LazyFacts implements RecordFacts {
  readonly accountId: AccountId;
  readonly at: Instant;
  readonly #heads: string;
  /** Indexes of the head's begin, its region and its end. */
  readonly #begin: number;
  readonly #region: number;
  readonly #end: number;
  #eventId: string | undefined;
  #parsed: RecordFacts | undefined;

  constructor(heads: string, [begin, region, end]: readonly [number, number, number], accountId: AccountId, at: Instant) {
    this.#heads = heads;
    this.#begin = begin;
    this.#region = region;
    this.#end = end;
    this.accountId = accountId;
    this.at = at;
  }

  get eventId(): string {
    const begin = this.#begin + 1;
    // Parsed, because a part of the text would keep the whole text in memory.
    this.#eventId ??= JSON.parse(this.#heads.slice(begin, this.#heads.indexOf('"', begin + 1) + 1)) as string;
    return this.#eventId;
  }

  get region(): string {
    return this.#heads.slice(this.#region, this.#heads.indexOf('"', this.#region));
  }

  get eventName(): string {
    return this.#facts().eventName;
  }

  get length(): number {
    return this.#facts().length;
  }

  #facts(): RecordFacts {
    this.#parsed ??= factsOf(`[${this.#heads.slice(this.#begin, this.#end)}]`)[0] as RecordFacts;
    return this.#parsed;
  }
}

/** Returns the index after the head that begins at `begin`. */
export function headEnd(heads: string, begin: number): number {
  for (let at = begin; ; ) {
    const border = heads.indexOf(BORDER, at);
    if (border === -1) return heads.length - 1;
    if (!AFTER_STRING.has(heads.charCodeAt(border + BORDER.length))) return border + 1;
    at = border + 1;
  }
}

/** Returns the length of the document from the end of its head: `],1234]`, or `],1234,1]` for a data event. */
export function documentLength(heads: string, end: number): number {
  // A bracket precedes the length, and a digit the mark of a data event.
  let last = end - 2;
  if (heads.charCodeAt(last - 1) === COMMA && heads[last - 2] !== ']') last -= 2;
  let length = 0;
  for (let [at, unit] = [last, 1]; heads.charCodeAt(at) !== COMMA; at--, unit *= 10) {
    // Someone can have replaced the heads with text that has no comma.
    if (at < 0) throw new Error('a head has no length');
    length += unit * (heads.charCodeAt(at) - ZERO);
  }
  return length;
}
