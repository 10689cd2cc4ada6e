/** Encodes the decision contexts of a pack, in the format of `context-format.ts`. */
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
  RESOURCE_POLICY,
  SECURE,
  SESSION,
  TAGS_NOT_READ,
  TAGS_READ,
  UNDECIDED,
  VERSION,
  VERSION_WITH_PARTS,
} from './context-format.ts';
import type { DecidingStatement, DecisionContext, DecisionOutcome, PermissionContext, StoredContext } from './decision-context.ts';

/** Maximum size of one context in bytes, with all its strings. A larger context is replaced by a marker with its size. */
export const CONTEXT_BYTES_MAX = 8192;

/** Largest number of bytes that JSON needs for one UTF-16 code unit: `\u0000`. */
const UNIT_BYTES_MAX = 6;
/** Largest size of a number in the list, with its comma. */
const NUMBER_UNITS = 17;

/** A record to encode: the time of the record, and its context. */
export interface ContextOfRecord {
  readonly at: Instant;
  readonly context?: StoredContext | undefined;
}

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
  let bytes = writer.sizeOf(base, base.now);
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

  /** Adds the first context, without a limit. Returns its size in bytes, with all its strings. */
  sizeOf(context: DecisionContext, at: Instant): number {
    this.#context(context, at);
    return Buffer.byteLength(JSON.stringify([this.strings, this.#list]));
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
  return new Writer().sizeOf(context, at);
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
