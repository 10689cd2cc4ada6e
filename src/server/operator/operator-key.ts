import { createHash } from 'node:crypto';
import type { Lease } from '#access/lease.ts';
import type { OperatorKeyRing } from '#access/operator-keys.ts';
import { isOwnDatabase, openVault, vaultFingerprint } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Reseal, SealedKind } from '#services/kit/service.ts';
import type { IdentityChange, IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Store, Tx } from '#store/store.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import { FINGERPRINT, OPERATOR_ACCOUNT } from '../core/first-start.ts';

/** How many records are sealed anew in one transaction: other requests are answered between two of them. */
const AT_ONCE = 50;

/** More than there can be of anything in one place: limits are kept where things are made. */
const EVERY = 1_000_000_000;

/** Identity records with sealed strings. Sealed strings that are neither here nor in a declaration of a service are lost with the old key. */
const SEALED: { readonly [Kind in IdentityKind]?: (record: IdentityRecords[Kind], reseal: Reseal) => IdentityRecords[Kind] } = {
  'access-key': (key, reseal) => ({ ...key, sealedSecret: reseal(key.sealedSecret, key.accessKeyId) }),
  'mfa-device': (device, reseal) => ({ ...device, sealedSeed: reseal(device.sealedSeed, device.serialNumber) }),
};

/** One thing that holds secrets. */
interface Sealed {
  readonly secrets: number;
  /** Hands each of its secrets to `reseal`, and keeps nothing. */
  readonly read: (reseal: Reseal) => void;
  /** Reads it again, since it may have been changed or deleted, and keeps what `reseal` makes of its secrets. */
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
  /** Kinds of resources with sealed strings, of all services. */
  readonly sealed: readonly SealedKind[];
}

/** What was done to the operator key: names of keys, which tell nothing of them, and how many secrets were sealed anew. */
export interface OperatorKeyChange {
  readonly newest: string;
  readonly older: readonly string[];
  readonly resealed: number;
}

/** The operator's commands on the key everything is sealed under. One at a time. */
export interface OperatorKeyCommands {
  /**
   * Makes a new key and seals everything anew under it, while requests are answered. The older stay in the file, so what was
   * handed out sealed under them (session tokens, join tokens) is good until it expires. Broken off, it can be begun again.
   *
   * @throws Error where other servers are on the database
   *
   * Writes: operator.key first and durably; each secret in a transaction; at the end the fingerprint and the trail event.
   */
  rotate(): Promise<OperatorKeyChange>;
  /**
   * Drops every key but the newest: whatever is sealed under another is worth nothing from then on.
   *
   * @throws Error where a secret in the database would be lost
   */
  forgetOlder(): Promise<OperatorKeyChange>;
}

export function operatorKeyCommands(parts: OperatorKeyParts): OperatorKeyCommands {
  const { ring, vault, store, lease } = parts;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  async function rotate(): Promise<OperatorKeyChange> {
    // Their operator.key has not the new line: every key sealed anew would fail them.
    const others = (await lease.servers()).filter(({ id }) => id !== lease.serverId());
    if (others.length > 0)
      throw new Error(`other servers are on this database (${others.map(({ name }) => name).join(', ')}); stop them first.`);
    ring.addNewest();
    const sealed = await everySealed(parts);
    const reseal: Reseal = (secret, boundTo) => vault.seal(vault.open(secret, boundTo), boundTo);
    for (let from = 0; from < sealed.length; from += AT_ONCE) {
      await store.transaction(async (tx) => {
        for (const one of sealed.slice(from, from + AT_ONCE)) await one.keep(tx, reseal);
      });
    }
    const change = changed(
      ring,
      sealed.reduce((sum, { secrets }) => sum + secrets, 0),
    );
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
      for (const one of await everySealed(parts)) one.read(opens);
    } catch {
      throw new Error('secrets are sealed under an older key still; nothing was forgotten. Rotate the key first, to the end.');
    }
    const fingerprint = await store.transaction((tx) => tx.meta.get(FINGERPRINT));
    if (fingerprint === undefined || !isOwnDatabase(newest, fingerprint))
      throw new Error('the database is of an older key still; nothing was forgotten. Rotate the key first, to the end.');
    const older = names(ring.keys().slice(1));
    ring.forgetOlder();
    const change = { ...changed(ring, 0), older };
    await store.transaction((tx) => record(tx, parts, 'ForgetOlderOperatorKeys', change));
    return change;
  }

  return { rotate: () => inTurn(rotate), forgetOlder: () => inTurn(forgetOlder) };
}

function everySealed({ store, sealed: kinds }: OperatorKeyParts): Promise<readonly Sealed[]> {
  return store.transaction(async (tx) => {
    const { changes } = await tx.identity.changesSince(0);
    const sealed = changes.filter(({ kind, record }) => record !== undefined && SEALED[kind] !== undefined).map(sealedIdentity);
    for (const accountId of new Set(changes.map((change) => change.accountId))) {
      for (const kind of kinds) {
        for (const found of await tx.resources.listOfAccount(kind.kind, accountId, EVERY)) sealed.push(sealedResource(kind, found));
      }
    }
    return sealed;
  });
}

function sealedIdentity<Kind extends IdentityKind>({ accountId, kind, key, record: found }: IdentityChange<Kind>): Sealed {
  const again = SEALED[kind] as (record: IdentityRecords[Kind], reseal: Reseal) => IdentityRecords[Kind];
  return {
    secrets: 1,
    read: (reseal) => void again(found as IdentityRecords[Kind], reseal),
    async keep(tx, reseal) {
      const current = await tx.identity.get(accountId, kind, key);
      if (current !== undefined) await tx.identity.put(accountId, kind, key, again(current, reseal));
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

/** Eight digits by which a key can be spoken of. */
function names(keys: readonly Uint8Array[]): readonly string[] {
  return keys.map((key) => createHash('sha256').update('belfry operator key name').update(key).digest('hex').slice(0, 8));
}
