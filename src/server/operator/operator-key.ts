import { createHash } from 'node:crypto';
import type { Lease } from '#access/lease.ts';
import type { OperatorKeyRing } from '#access/operator-keys.ts';
import { isOwnDatabase, openVault, vaultFingerprint } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Reseal, SealedKind } from '#services/kit/service.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Store, Tx } from '#store/store.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import { FINGERPRINT, OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { pagesOfAccounts } from './accounts.ts';

/**
 * Number of identity records that one transaction reads, and of records that one transaction re-seals (encrypts with
 * the new key). Other requests run between two transactions.
 */
const AT_ONCE = 50;

/** Limit for lists that must contain all resources. It is above every limit on the number of resources. */
const EVERY = 1_000_000_000;

/**
 * Functions that re-seal the sealed (encrypted) string of an identity record, by the kind of the record. If neither
 * this table nor the declaration of a service lists a sealed string, the string is lost when the old key is deleted.
 */
const SEALED: { readonly [Kind in IdentityKind]?: (record: IdentityRecords[Kind], reseal: Reseal) => IdentityRecords[Kind] } = {
  'access-key': (key, reseal) => ({ ...key, sealedSecret: reseal(key.sealedSecret, key.accessKeyId) }),
  'mfa-device': (device, reseal) => ({ ...device, sealedSeed: reseal(device.sealedSeed, device.serialNumber) }),
};

/** Rows of a table outside accounts, each with one sealed (encrypted) string. There are at most some thousand. */
export interface SealedRows {
  list(tx: Tx): Promise<readonly SealedRow[]>;
  get(tx: Tx, key: string): Promise<SealedRow | undefined>;
  /** Replaces the sealed string of a row. */
  put(tx: Tx, key: string, sealed: string): Promise<void>;
}

export interface SealedRow {
  readonly key: string;
  readonly sealed: string;
  readonly boundTo: string;
}

/** Record that contains sealed secrets. */
interface Sealed {
  readonly secrets: number;
  /** Passes each secret to `reseal` and stores nothing. */
  readonly read: (reseal: Reseal) => void;
  /** Reads the record again, because it may have changed, and stores its re-sealed secrets. */
  readonly keep: (tx: Tx, reseal: Reseal) => Promise<void>;
}

export interface OperatorKeyParts {
  readonly ring: OperatorKeyRing;
  readonly vault: Vault;
  readonly store: Store;
  readonly region: string;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly lease: Pick<Lease, 'serverId' | 'servers'>;
  /** Kinds of resources with sealed (encrypted) strings, of all services. */
  readonly sealed: readonly SealedKind[];
  /** Other rows with sealed strings. */
  readonly rows: readonly SealedRows[];
}

/** Result of a change of the operator key: names of the keys, which reveal nothing of the keys, and the number of re-sealed secrets. */
export interface OperatorKeyChange {
  readonly newest: string;
  readonly older: readonly string[];
  readonly resealed: number;
}

/** The operator's commands for the key that encrypts all secrets. The commands run one after the other. */
export interface OperatorKeyCommands {
  /**
   * Creates a new key and re-seals all secrets with it, while the server answers requests. The older keys stay in the
   * file. So session tokens and join tokens that an older key sealed stay valid until they expire. An interrupted
   * rotation can be repeated.
   *
   * @throws Error  other servers are on the database
   *
   * Writes, in this order: (1) `operator.key`, durably, (2) the secrets, in several transactions, (3) the fingerprint
   * and the trail event, in one transaction.
   */
  rotate(): Promise<OperatorKeyChange>;
  /**
   * Deletes all keys except the newest. Tokens that an older key sealed are invalid from then on.
   *
   * @throws Error  a secret in the database is still encrypted with an older key
   */
  forgetOlder(): Promise<OperatorKeyChange>;
}

/** Creates the operator's commands for the operator key. */
export function operatorKeyCommands(parts: OperatorKeyParts): OperatorKeyCommands {
  const { ring, vault, store, lease } = parts;
  let last: Promise<unknown> = Promise.resolve();
  const runExclusive = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  async function rotate(): Promise<OperatorKeyChange> {
    // Fails if other servers use the database. Their `operator.key` would not have the new key, so they could not open
    // re-sealed secrets.
    const others = (await lease.servers()).filter(({ id }) => id !== lease.serverId());
    if (others.length > 0)
      throw new Error(`other servers use this database (${others.map(({ name }) => name).join(', ')}); stop these servers first`);
    ring.addNewest();
    const reseal: Reseal = (secret, boundTo) => vault.seal(vault.open(secret, boundTo), boundTo);
    let resealed = 0;
    for await (const sealed of pagesOfSealed(parts)) {
      for (let from = 0; from < sealed.length; from += AT_ONCE) {
        await store.transaction(async (tx) => {
          for (const one of sealed.slice(from, from + AT_ONCE)) await one.keep(tx, reseal);
        });
      }
      for (const { secrets } of sealed) resealed += secrets;
    }
    const change = changed(ring, resealed);
    await store.transaction(async (tx) => {
      await tx.meta.put(FINGERPRINT, vaultFingerprint(vault));
      await record(tx, parts, 'RotateOperatorKey', change);
    });
    return change;
  }

  async function forgetOlder(): Promise<OperatorKeyChange> {
    const newest = openVault(ring.keys().slice(0, 1));
    const opens = (sealed: string, boundTo: string) => {
      newest.open(sealed, boundTo);
      return sealed;
    };
    try {
      for await (const sealed of pagesOfSealed(parts)) for (const one of sealed) one.read(opens);
    } catch {
      throw new Error("some secrets are still encrypted with an older key, so no key was deleted; run 'belfry operator-key rotate' first");
    }
    const fingerprint = await store.transaction((tx) => tx.meta.get(FINGERPRINT));
    if (fingerprint === undefined || !isOwnDatabase(newest, fingerprint))
      throw new Error("the database still uses an older key, so no key was deleted; run 'belfry operator-key rotate' first");
    const older = names(ring.keys().slice(1));
    ring.forgetOlder();
    const change = { ...changed(ring, 0), older };
    await store.transaction((tx) => record(tx, parts, 'ForgetOlderOperatorKeys', change));
    return change;
  }

  return { rotate: () => runExclusive(rotate), forgetOlder: () => runExclusive(forgetOlder) };
}

/**
 * Returns all records with sealed secrets in pages. One transaction reads one page. A record that is added in the
 * meantime can be missing. Its secrets are sealed with the newest key, unless its request sealed them just before the
 * rotation. In that case `forgetOlder` finds it and refuses.
 */
async function* pagesOfSealed({ store, sealed: kinds, rows }: OperatorKeyParts): AsyncGenerator<readonly Sealed[]> {
  for (const each of rows) yield (await store.transaction((tx) => each.list(tx))).map((row) => sealedRow(each, row));
  for await (const accountIds of pagesOfAccounts(store)) {
    for (const accountId of accountIds) {
      for (const kind of Object.keys(SEALED) as IdentityKind[]) yield* pagesOfIdentity(store, accountId, kind);
      yield await store.transaction(async ({ resources }) => {
        const found: Sealed[] = [];
        for (const kind of kinds) {
          for (const one of await resources.listOfAccount(kind.kind, accountId, EVERY)) found.push(sealedResource(kind, one));
        }
        return found;
      });
    }
  }
}

async function* pagesOfIdentity(store: Store, accountId: AccountId, kind: IdentityKind): AsyncGenerator<readonly Sealed[]> {
  for (let after = ''; ; ) {
    const last = after;
    const page = await store.transaction(({ identity }) => identity.list(accountId, kind, { after: last, limit: AT_ONCE }));
    yield page.map(({ key, record }) => sealedIdentity(accountId, kind, key, record));
    if (page.length < AT_ONCE) return;
    after = page.at(-1)?.key as string;
  }
}

function sealedIdentity<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, found: IdentityRecords[Kind]): Sealed {
  const again = SEALED[kind] as (record: IdentityRecords[Kind], reseal: Reseal) => IdentityRecords[Kind];
  return {
    secrets: 1,
    read: (reseal) => void again(found, reseal),
    async keep(tx, reseal) {
      const current = await tx.identity.get(accountId, kind, key);
      if (current !== undefined) await tx.identity.put(accountId, kind, key, again(current, reseal));
    },
  };
}

function sealedRow(rows: SealedRows, { key, sealed, boundTo }: SealedRow): Sealed {
  return {
    secrets: 1,
    read: (reseal) => void reseal(sealed, boundTo),
    async keep(tx, reseal) {
      const current = await rows.get(tx, key);
      if (current !== undefined) await rows.put(tx, key, reseal(current.sealed, current.boundTo));
    },
  };
}

function sealedResource({ kind, resealed }: SealedKind, found: ResourceRecord<unknown>): Sealed {
  let secrets = 0;
  resealed(found, (sealed) => {
    secrets++;
    return sealed;
  });
  return {
    secrets,
    read: (reseal) => void resealed(found, reseal),
    async keep({ resources }, reseal) {
      const current = await resources.get(kind, found);
      if (current !== undefined) await resources.put(kind, resealed(current, reseal));
    },
  };
}

async function record(tx: Tx, { region, now, newId }: OperatorKeyParts, eventName: string, change: OperatorKeyChange): Promise<void> {
  const accountId = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId;
  await tx.trail.append(
    serviceEventRow({
      accountId,
      region,
      now: now(),
      eventId: newId(),
      eventName,
      eventSource: 'belfry.operator',
      invokedBy: 'operator',
      details: { ...change },
    }),
  );
}

function changed(ring: OperatorKeyRing, resealedSecrets: number): OperatorKeyChange {
  const [newest, ...older] = names(ring.keys());
  return { newest: newest as string, older, resealed: resealedSecrets };
}

/** Returns names of keys: eight hexadecimal digits of a hash. */
function names(keys: readonly Uint8Array[]): readonly string[] {
  return keys.map((key) => createHash('sha256').update('belfry operator key name').update(key).digest('hex').slice(0, 8));
}
