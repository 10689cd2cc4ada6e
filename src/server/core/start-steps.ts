/** Steps of a start: the check that the operator key belongs to the database, and the first account. */
import { isOwnDatabase, vaultFingerprint } from '#access/vault.ts';
import type { Part } from '#core/part.ts';
import type { Store } from '#store/store.ts';
import type { CoreReady } from './core-link.ts';
import type { CoreParts } from './core-parts.ts';
import { FINGERPRINT, firstStart } from './first-start.ts';

/**
 * Stores the fingerprint of the operator key in a new database. In an existing database, compares the key with the stored fingerprint.
 *
 * @throws Error  another operator key encrypted the secrets of the database, so no access key in it would work
 */
export async function requireOwnDatabase({ settings, store, vault }: CoreParts): Promise<void> {
  const fingerprint = await store.transaction(async (tx) => {
    await tx.meta.add(FINGERPRINT, vaultFingerprint(vault));
    return await tx.meta.get(FINGERPRINT);
  });
  if (fingerprint === undefined || !isOwnDatabase(vault, fingerprint)) {
    throw new Error(
      `the operator key in '${settings.dataFolder}' does not belong to this database; restore the operator.key of this database from its backup`,
    );
  }
}

/** Reads one row. Rejects if the database does not answer. */
export function checkDatabase(store: Store): Promise<unknown> {
  return store.transaction((tx) => tx.meta.get(FINGERPRINT));
}

/**
 * Creates the part that creates the first account of an empty database. `ready` returns the administrator of the new
 * account, without the secret access key.
 */
export function firstStartPart({ store, vault, firstStartFiles, random, clock }: CoreParts): Part & { readonly ready: () => CoreReady } {
  let ready: CoreReady = {};
  return {
    name: 'first account',
    async start() {
      const administrator = await firstStart({ store, vault, files: firstStartFiles, random, now: clock.wall() });
      firstStartFiles.end();
      if (administrator === undefined) return;
      const { accountId, userName, accessKeyId } = administrator;
      ready = { firstStart: { accountId, userName, accessKeyId } };
    },
    ready: () => ready,
  };
}
