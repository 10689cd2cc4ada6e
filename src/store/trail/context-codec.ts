import type { ConditionContext } from '#core/condition-context.ts';
import type { Instant } from '#core/instant.ts';
import type { Tags } from '#core/tag-keys.ts';
import type { DecidingStatement, DecisionContext, DecisionOutcome, PermissionContext, StoredContext } from './decision-context.ts';

/**
 * Format of the decision contexts of a pack (a row with several trail records), version 2: a JSON list of the version,
 * the strings, and one entry for each record. All contexts of the pack share the strings.
 *
 *     [2, ["us-east-1", "chime:GetMeeting", …], [[412, 0, 1, …], 0, 9000]]
 *
 * An entry is 0 for a record without a context, the size of a context that was too large, or a list of numbers. In the
 * list, a string is its index plus one, and 0 stands for an absent string. `Writer` defines the order of the list,
 * and `Reader` reads it.
 *
 * Version 1 had no bits `OWNED` and `RESOURCE_POLICY`. Otherwise it is the same, so the reader also accepts it.
 */
const VERSION = 2;
/** Format of packs with decisions about parts of a result that were denied or omitted. Earlier programs would read such decisions as others. */
const VERSION_WITH_PARTS = 3;
const READ_VERSIONS: readonly number[] = [1, VERSION, VERSION_WITH_PARTS];

/** Maximum size of one context in bytes, with all its strings. A larger context is replaced by a marker with its size. */
export const CONTEXT_BYTES_MAX = 8192;

/** Largest number of bytes that JSON needs for one UTF-16 code unit: `\u0000`. */
const UNIT_BYTES_MAX = 6;
/** Largest size of a number in the list, with its comma. */
const NUMBER_UNITS = 17;

/** A record of which only the time matters. */
type TimedRecord = Pick<ContextOfRecord, 'at'>;

/** A record to encode: the time of the record, and its context. */
export interface ContextOfRecord {
  readonly at: Instant;
  readonly context?: StoredContext | undefined;
}

/** Bits of a context. */
const SECURE = 1;
const CLASSIC = 2;
const SESSION = 4;
const CHANGED = 8;
const PARTS = 16;

/** Bits of a permission. */
const ALWAYS = 1;
const UNDECIDED = 2;
const TAGS_NOT_READ = 4;
const TAGS_READ = 8;
const OWNED = 16;
const RESOURCE_POLICY = 32;

/** Kinds of outcomes. The number of a kind is its index. */
const OUTCOMES = ['Allow', 'explicit', 'implicit', 'limit', 'session-kind'] as const;

/** Number in place of a length: no list, a single value in place of a list, or a resource that does not exist. */
const NONE = -1;

/** Returns the contexts of the records of a pack as text. Returns `null` if no record has a context. */
export function encodeContexts(records: readonly ContextOfRecord[]): string | null {
  const writer = new Writer();
  const entries: (number | readonly number[])[] = [];
  let found = false;
  for (const { at, context } of records) {
    if (context === undefined) {
      entries.push(0);
      continue;
    }
    found = true;
    entries.push('omittedBytes' in context ? context.omittedBytes : writer.entryOf(context, at));
  }
  return found ? JSON.stringify([writer.hasParts ? VERSION_WITH_PARTS : VERSION, writer.strings, entries]) : null;
}

/** Bytes that are kept free for the numbers of omitted decisions, and for the time of the record. */
const RESERVED_BYTES = 64;

/**
 * Returns a context that is small enough to be stored, with as many decisions about parts of the result as fit: first those that were denied.
 * Each then has one resource. `required` is the number of required permissions, which always stay. Takes time in proportion to the size.
 */
export function withFittingParts(context: DecisionContext, required: number): DecisionContext {
  const most = CONTEXT_BYTES_MAX - RESERVED_BYTES;
  if (sizeAlone(context, context.now) <= most) return context;
  const base: DecisionContext = { ...context, permissions: context.permissions.slice(0, required), denied: [], omitted: undefined };
  const writer = new Writer();
  writer.unlimited(base, base.now);
  let bytes = sizeAlone(base, base.now);
  let isFull = false;
  /** Returns the decisions that still fit, and the number of the others. */
  const fitting = (all: readonly PermissionContext[]): { readonly kept: readonly PermissionContext[]; readonly others: number } => {
    const parts = all.flatMap(eachResource);
    const kept = parts.filter((part) => {
      if (!isFull) bytes += writer.bytesOf(part);
      isFull ||= bytes > most;
      return !isFull;
    });
    return { kept, others: parts.length - kept.length };
  };
  const denied = fitting(context.denied ?? []);
  const allowed = fitting(context.permissions.slice(required));
  return {
    ...base,
    permissions: [...base.permissions, ...allowed.kept],
    denied: denied.kept,
    omitted: { allowed: allowed.others, denied: denied.others },
  };
}

/** Returns a permission for each of the resources of one. */
function eachResource(permission: PermissionContext): readonly PermissionContext[] {
  const { resources, tags } = permission;
  if (resources.length === 1) return [permission];
  // The statement allowed the last resource, and it is not known for the others.
  return resources.map((resource, i) => ({
    ...permission,
    resources: [resource],
    tags: typeof tags === 'string' ? tags : [tags[i]],
    allowedBy: i === resources.length - 1 ? permission.allowedBy : undefined,
  }));
}

/**
 * Writer of the contexts of one pack. It adds the numbers of a context to a list, and new strings to the shared strings. So
 * most records allocate only their list.
 */
class Writer {
  readonly strings: string[] = [];
  /** Whether a context has decisions about parts of a result that were denied or omitted. */
  hasParts = false;
  readonly #indexes = new Map<string, number>();
  #list: number[] = [];
  /** Total length of the strings of the current context, in UTF-16 code units. */
  #units = 0;

  /** Returns the entry of a context: its list, or its size if it is too large. */
  entryOf(context: DecisionContext, at: Instant): number | readonly number[] {
    const known = this.strings.length;
    const list: number[] = [];
    this.#list = list;
    this.#units = 0;
    this.#context(context, at);
    // Most contexts are so short that their size need not be measured.
    if ((this.#units + list.length * NUMBER_UNITS) * UNIT_BYTES_MAX <= CONTEXT_BYTES_MAX) return list;
    const bytes = sizeAlone(context, at);
    if (bytes <= CONTEXT_BYTES_MAX) return list;
    for (const text of this.strings.splice(known)) this.#indexes.delete(text);
    return bytes;
  }

  /** Adds a context without a limit, and returns its list. */
  unlimited(context: DecisionContext, at: Instant): readonly number[] {
    this.#context(context, at);
    return this.#list;
  }

  /** Adds a permission to the last context. Returns the number of bytes that it adds. */
  bytesOf(permission: PermissionContext): number {
    const [strings, numbers] = [this.strings.length, this.#list.length];
    this.#permission(permission);
    let bytes = 0;
    for (const text of this.strings.slice(strings)) bytes += Buffer.byteLength(JSON.stringify(text)) + 1;
    for (const each of this.#list.slice(numbers)) bytes += String(each).length + 1;
    return bytes;
  }

  #context(context: DecisionContext, at: Instant): void {
    const { caller, permissions, denied, omitted } = context;
    const hasParts = denied !== undefined || omitted !== undefined;
    if (hasParts) this.hasParts = true;
    const isSession = 'session' in caller;
    this.#list.push(
      context.identityVersion,
      at - context.now,
      (context.secureTransport ? SECURE : 0) |
        (context.profile === 'classic' ? CLASSIC : 0) |
        (isSession ? SESSION : 0) |
        (context.identityChanged ? CHANGED : 0) |
        (hasParts ? PARTS : 0),
    );
    this.#string(isSession ? caller.session : caller.principal);
    this.#string(context.region);
    this.#string(context.sourceIp);
    this.#optional(context.userAgent);
    this.#optional(context.referer);
    this.#outcome(context.outcome);
    this.#list.push(permissions.length);
    for (const permission of permissions) this.#permission(permission);
    if (!hasParts) return;
    this.#list.push(denied === undefined ? NONE : denied.length);
    for (const permission of denied ?? []) this.#permission(permission);
    this.#list.push(omitted?.allowed ?? NONE, omitted?.denied ?? NONE);
  }

  #outcome(outcome: DecisionOutcome): void {
    if (outcome.effect === 'Allow') {
      this.#list.push(0);
      return;
    }
    const { kind } = outcome;
    this.#list.push(OUTCOMES.indexOf(kind));
    if (kind === 'session-kind') return;
    if (kind === 'explicit') this.#string(statementText(outcome.by));
    else if (kind === 'implicit') this.#string(outcome.missing);
    this.#string(outcome.resource);
  }

  #permission(permission: PermissionContext): void {
    const { action, resources, added, tags, trustPolicyOf, resourceOwner, resourcePolicy, always, undecided, allowedBy } = permission;
    this.#string(action);
    this.#list.push(
      (always ? ALWAYS : 0) |
        (undecided ? UNDECIDED : 0) |
        (tags === 'none' ? 0 : tags === 'not read' ? TAGS_NOT_READ : TAGS_READ) |
        (resourceOwner === undefined ? 0 : OWNED) |
        (resourcePolicy === undefined ? 0 : RESOURCE_POLICY),
    );
    if (resourceOwner !== undefined) this.#string(resourceOwner);
    if (resourcePolicy !== undefined) this.#string(resourcePolicy);
    this.#optional(trustPolicyOf);
    this.#optional(allowedBy && statementText(allowedBy));
    this.#list.push(added === undefined ? NONE : added.size, resources.length);
    for (const resource of resources) this.#string(resource);
    if (added !== undefined) this.#added(added);
    if (typeof tags === 'string') return;
    this.#list.push(tags.length);
    for (const each of tags) this.#tags(each);
  }

  #added(added: ConditionContext): void {
    for (const [key, value] of added) {
      this.#string(key);
      this.#list.push(typeof value === 'string' ? NONE : value.length);
      if (typeof value === 'string') this.#string(value);
      else for (const each of value) this.#string(each);
    }
  }

  #tags(tags: Tags | undefined): void {
    const entries = tags && Object.entries(tags);
    this.#list.push(entries === undefined ? NONE : entries.length);
    for (const [key, value] of entries ?? []) {
      this.#string(key);
      this.#string(value);
    }
  }

  #optional(text: string | undefined): void {
    if (text === undefined) this.#list.push(0);
    else this.#string(text);
  }

  #string(text: string): void {
    let index = this.#indexes.get(text);
    if (index === undefined) {
      index = this.strings.push(text);
      this.#indexes.set(text, index);
    }
    this.#list.push(index);
    this.#units += text.length;
  }
}

/** Returns the size of a context in bytes, with all its strings. */
function sizeAlone(context: DecisionContext, at: Instant): number {
  const writer = new Writer();
  const list = writer.unlimited(context, at);
  return Buffer.byteLength(JSON.stringify([writer.strings, list]));
}

/** Texts of statements. The policy engine returns the same object for each decision by a statement. */
const STATEMENT_TEXTS = new WeakMap<DecidingStatement, string>();

function statementText(of: DecidingStatement): string {
  let text = STATEMENT_TEXTS.get(of);
  if (text === undefined) {
    const { policyType, policyId, statement, sid, policyArn } = of;
    text = JSON.stringify([policyType, policyId, statement, sid ?? 0, policyArn === policyId ? 1 : (policyArn ?? 0)]);
    STATEMENT_TEXTS.set(of, text);
  }
  return text;
}

function statementOf(text: string): DecidingStatement {
  const [policyType, policyId, statement, sid, arn] = JSON.parse(text) as [string, string, number, string | 0, string | 0 | 1];
  return {
    policyType,
    policyId,
    statement,
    ...(sid !== 0 && { sid }),
    ...(arn !== 0 && { policyArn: arn === 1 ? policyId : arn }),
  };
}

/** Codes of the characters of the list of entries. */
const [OPEN, CLOSE, COMMA, MINUS, ZERO, NINE] = [0x5b, 0x5d, 0x2c, 0x2d, 0x30, 0x39];

/**
 * Returns the contexts from a text of `encodeContexts`. `records` has the time of each record. The result has
 * `undefined` for a record without a context.
 *
 * @throws Error  the text has a newer version of the format, or is damaged
 */
export function decodeContexts(text: string, records: readonly TimedRecord[]): readonly (StoredContext | undefined)[] {
  const comma = text.indexOf(',');
  const version = text.slice(1, comma);
  if (!READ_VERSIONS.some((each) => String(each) === version))
    throw new Error(`the decision contexts have the format version '${version}', and this version reads '${READ_VERSIONS.join(', ')}'`);
  // Only the strings have quotation marks, so the list of strings ends after the last one. Without strings, it is `[]`.
  const end = Math.max(text.lastIndexOf('"'), comma + 1) + 2;
  const strings = JSON.parse(text.slice(comma + 1, end)) as readonly string[];
  return new Reader(text, end, strings).contexts(records);
}

/**
 * Reader of the contexts of one pack. Its methods read the numbers in the order in which `Writer` writes them: from the text, because
 * `JSON.parse` takes twice the time and creates a list for each record.
 */
class Reader {
  readonly #text: string;
  readonly #strings: readonly string[];
  /** Parsed statements, by the index of their text. */
  readonly #statements = new Map<number, DecidingStatement>();
  /** Index in the text after what was read. */
  #at: number;

  /** `start` is the index of the comma before the list of entries. */
  constructor(text: string, start: number, strings: readonly string[]) {
    this.#text = text;
    this.#strings = strings;
    this.#at = start;
  }

  contexts(records: readonly TimedRecord[]): readonly (StoredContext | undefined)[] {
    const contexts: (StoredContext | undefined)[] = [];
    this.#expect(COMMA);
    while (contexts.length === 0 || this.#text.charCodeAt(this.#at) === COMMA)
      contexts.push(this.#entry(records[contexts.length]?.at as Instant));
    this.#expect(CLOSE);
    this.#expect(CLOSE);
    if (this.#at !== this.#text.length) throw damaged();
    return contexts;
  }

  #entry(at: Instant): StoredContext | undefined {
    if (this.#text.charCodeAt(this.#at + 1) !== OPEN) {
      const omittedBytes = this.#number();
      return omittedBytes === 0 ? undefined : { omittedBytes };
    }
    this.#at++;
    const context = this.#context(at);
    this.#expect(CLOSE);
    return context;
  }

  #expect(code: number): void {
    if (this.#text.charCodeAt(this.#at++) !== code) throw damaged();
  }

  #context(at: Instant): DecisionContext {
    const identityVersion = this.#number();
    const now = (at - this.#number()) as Instant;
    const bits = this.#number();
    const caller = this.#string();
    const region = this.#string();
    const sourceIp = this.#string();
    const userAgent = this.#optional();
    const referer = this.#optional();
    const outcome = this.#outcome();
    const permissions: PermissionContext[] = [];
    for (let left = this.#number(); left > 0; left--) permissions.push(this.#permission());
    const parts = (bits & PARTS) === 0 ? undefined : this.#parts();
    return {
      identityVersion,
      identityChanged: (bits & CHANGED) !== 0,
      now,
      profile: (bits & CLASSIC) === 0 ? 'sdk' : 'classic',
      caller: (bits & SESSION) === 0 ? { principal: caller } : { session: caller },
      region,
      sourceIp,
      secureTransport: (bits & SECURE) !== 0,
      userAgent,
      referer,
      permissions,
      outcome,
      denied: parts?.denied,
      omitted: parts?.omitted,
    };
  }

  #parts(): Pick<DecisionContext, 'denied' | 'omitted'> {
    const count = this.#number();
    const denied: PermissionContext[] = [];
    for (let left = count; left > 0; left--) denied.push(this.#permission());
    const [ofAllowed, ofDenied] = [this.#number(), this.#number()];
    return {
      denied: count === NONE ? undefined : denied,
      omitted: ofAllowed === NONE ? undefined : { allowed: ofAllowed, denied: ofDenied },
    };
  }

  #outcome(): DecisionOutcome {
    const kind = OUTCOMES[this.#number()];
    switch (kind) {
      case 'Allow':
        return { effect: 'Allow' };
      case 'explicit':
        return { effect: 'Deny', kind, by: this.#statement(this.#number()), resource: this.#string() };
      case 'implicit':
        return { effect: 'Deny', kind, missing: this.#string(), resource: this.#string() };
      case 'limit':
        return { effect: 'Deny', kind, resource: this.#string() };
      case 'session-kind':
        return { effect: 'Deny', kind };
      default:
        throw new Error('a decision context has an unknown outcome');
    }
  }

  #permission(): PermissionContext {
    const action = this.#string();
    const bits = this.#number();
    const resourceOwner = (bits & OWNED) === 0 ? undefined : this.#string();
    const resourcePolicy = (bits & RESOURCE_POLICY) === 0 ? undefined : this.#string();
    const trustPolicyOf = this.#optional();
    const allowedBy = this.#number();
    const addedCount = this.#number();
    const resources = this.#texts(this.#number());
    const added = addedCount < 0 ? undefined : this.#added(addedCount);
    const tags = (bits & TAGS_READ) !== 0 ? this.#tagsOfAll() : (bits & TAGS_NOT_READ) !== 0 ? 'not read' : 'none';
    return {
      action,
      resources,
      added,
      tags,
      trustPolicyOf,
      resourceOwner,
      resourcePolicy,
      always: (bits & ALWAYS) !== 0,
      undecided: (bits & UNDECIDED) !== 0,
      allowedBy: allowedBy === 0 ? undefined : this.#statement(allowedBy),
    };
  }

  #added(count: number): ConditionContext {
    const added = new Map<string, string | readonly string[]>();
    for (let left = count; left > 0; left--) {
      const key = this.#string();
      const values = this.#number();
      added.set(key, values === NONE ? this.#string() : this.#texts(values));
    }
    return added;
  }

  #tagsOfAll(): readonly (Tags | undefined)[] {
    const all: (Tags | undefined)[] = [];
    for (let left = this.#number(); left > 0; left--) all.push(this.#tags());
    return all;
  }

  #tags(): Tags | undefined {
    const count = this.#number();
    if (count === NONE) return undefined;
    const entries: (readonly [string, string])[] = [];
    for (let left = count; left > 0; left--) entries.push([this.#string(), this.#string()]);
    return Object.fromEntries(entries);
  }

  #texts(count: number): readonly string[] {
    const texts: string[] = [];
    for (let left = count; left > 0; left--) texts.push(this.#string());
    return texts;
  }

  #statement(index: number): DecidingStatement {
    let statement = this.#statements.get(index);
    if (statement === undefined) this.#statements.set(index, (statement = statementOf(this.#strings[index - 1] as string)));
    return statement;
  }

  /** Reads the comma or bracket before a number, and the number. */
  #number(): number {
    const text = this.#text;
    let at = this.#at;
    const before = text.charCodeAt(at++);
    if (before !== COMMA && before !== OPEN) throw damaged();
    const isNegative = text.charCodeAt(at) === MINUS;
    if (isNegative) at++;
    let code = text.charCodeAt(at);
    if (!(code >= ZERO && code <= NINE)) throw damaged();
    let number = 0;
    for (; code >= ZERO && code <= NINE; code = text.charCodeAt(++at)) number = number * 10 + (code - ZERO);
    this.#at = at;
    return isNegative ? -number : number;
  }

  #string(): string {
    return this.#strings[this.#number() - 1] as string;
  }

  #optional(): string | undefined {
    const index = this.#number();
    return index === 0 ? undefined : this.#strings[index - 1];
  }
}

function damaged(): Error {
  return new Error('the decision contexts are damaged');
}
