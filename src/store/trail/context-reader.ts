/** Decodes the decision contexts of a pack, in the format of `context-format.ts`. */
import type { ConditionContext } from '#core/condition-context.ts';
import type { Instant } from '#core/instant.ts';
import type { Tags } from '#core/tag-keys.ts';
import {
  ALWAYS,
  CHANGED,
  CLASSIC,
  NONE,
  OUTCOMES,
  OWNED,
  PARTS,
  READ_VERSIONS,
  RESOURCE_POLICY,
  SECURE,
  SESSION,
  TAGS_NOT_READ,
  TAGS_READ,
  UNDECIDED,
} from './context-format.ts';
import type { DecidingStatement, DecisionContext, DecisionOutcome, PermissionContext, StoredContext } from './decision-context.ts';

/** A record of which only the time matters. */
interface TimedRecord {
  readonly at: Instant;
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
