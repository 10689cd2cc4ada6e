import type { AccountId } from '#core/arn.ts';
import { HELD_KINDS, type HeldKind, type IdentityChange, type StoredRecord } from '#store/identity/identity.ts';
import { memberOf } from '#store/identity/record-parts.ts';

/**
 * Collection of the identity records in memory, as unparsed JSON texts, with the indexes of the identity snapshot.
 *
 * The values in the indexes come from `memberOf`, which searches an unparsed text and can return a wrong value. So a
 * caller of `keyOf` or `accountOfAlias` must compare the looked-up value with the parsed record.
 */
export interface HeldRecords {
  /** Returns the text of a record. */
  get(accountId: AccountId, kind: KindOfAccount, key: string): string | undefined;
  /** Returns the text of the record of an access key, in any account. */
  accessKey(accessKeyId: string): string | undefined;
  /** Returns the key of the user or group that has this unique ID. */
  keyOf(accountId: AccountId, uniqueId: string): string | undefined;
  accountOfAlias(alias: string): AccountId | undefined;
  /** Adds or replaces a record. Returns its previous text. */
  put(record: StoredRecord<HeldKind>): string | undefined;
  /** Deletes a record. Returns its text. */
  delete(record: Pick<StoredRecord<HeldKind>, 'accountId' | 'kind' | 'key'>): string | undefined;
}

/** Kind of record whose keys are unique only within an account. */
export type KindOfAccount = Exclude<HeldKind, 'access-key'>;

/** Change of a record of a kind that is in memory (`HELD_KINDS`). */
export type HeldChange = IdentityChange<HeldKind>;

const HELD: ReadonlySet<string> = new Set(HELD_KINDS);

/** Reports whether a change is of a kind that is in memory. */
export function isHeld(change: IdentityChange): change is HeldChange {
  return HELD.has(change.kind);
}

/** Member that is indexed, for each kind of record that has an index. */
const INDEXED: { readonly [Kind in HeldKind]?: string } = { user: 'userId', group: 'groupId', account: 'alias' };

/** Creates an empty collection of records. */
export function newHeldRecords(): HeldRecords {
  /** Texts by kind, account and key. Access keys have one map for all accounts. */
  const texts = new Map<HeldKind, Map<AccountId | '', Map<string, string>>>();
  /** Keys of users and groups, by account and unique ID. */
  const keys = new Map<AccountId, Map<string, string>>();
  const aliases = new Map<string, AccountId>();

  const placeOf = (accountId: AccountId, kind: HeldKind): AccountId | '' => (kind === 'access-key' ? '' : accountId);

  /**
   * Updates the index of a record. If `isNew` is true, adds the indexed member of `text`, which is the record's new
   * text. Otherwise deletes the indexed member of `text`, which is the record's previous text.
   */
  function index({ accountId, kind, key }: Pick<StoredRecord<HeldKind>, 'accountId' | 'kind' | 'key'>, text: string, isNew: boolean): void {
    const name = INDEXED[kind];
    const member = name && memberOf(text, name);
    if (member === undefined) return;
    if (kind === 'account') {
      if (isNew) aliases.set(ownMemory(member), accountId);
      else if (aliases.get(member) === accountId) aliases.delete(member);
      return;
    }
    const ofAccount = mapIn(keys, accountId);
    if (isNew) ofAccount.set(ownMemory(member), key);
    // Renaming deletes one record and adds another, in either order. The deletion must not remove the entry of the added record.
    else if (ofAccount.get(member) === key) ofAccount.delete(member);
  }

  return {
    get: (accountId, kind, key) => texts.get(kind)?.get(accountId)?.get(key),
    accessKey: (accessKeyId) => texts.get('access-key')?.get('')?.get(accessKeyId),
    keyOf: (accountId, uniqueId) => keys.get(accountId)?.get(uniqueId),
    accountOfAlias: (alias) => aliases.get(alias),
    put(record) {
      const { accountId, kind, key, text } = record;
      const ofAccount = mapIn(mapIn(texts, kind), placeOf(accountId, kind));
      const before = ofAccount.get(key);
      if (before !== undefined) index(record, before, false);
      ofAccount.set(key, text);
      index(record, text, true);
      return before;
    },
    delete(record) {
      const { accountId, kind, key } = record;
      const ofAccount = texts.get(kind)?.get(placeOf(accountId, kind));
      const before = ofAccount?.get(key);
      if (before === undefined) return undefined;
      ofAccount?.delete(key);
      index(record, before, false);
      return before;
    },
  };
}

/** Returns the inner map at a key. Creates the map if there is none. */
function mapIn<Key, InnerKey, Value>(maps: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let map = maps.get(key);
  if (map === undefined) maps.set(key, (map = new Map()));
  return map;
}

/** Copies a part of a string. Otherwise the part would keep the whole string in memory. */
function ownMemory(part: string): string {
  return Buffer.from(part).toString();
}
