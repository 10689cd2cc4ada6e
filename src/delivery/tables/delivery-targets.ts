/** Targets that the operator bound to names of buckets: folders and buckets of S3-compatible services. */
import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Place that a target writes to. */
export type TargetLocation =
  /** Absolute path of a folder on each server's machine. */
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly endpoint: string;
      readonly region: string;
      readonly accessKeyId: string;
      readonly allowInternal: boolean;
    };

/** A trail that names the bucket delivers to the target. A target precedes a bucket of this server with the same name. */
export const DELIVERY_TARGET = table('delivery_target', {
  columns: {
    bucket: text,
    /** Account whose trails may use the target. Absent: trails of every account. */
    accountId: optional(textOf<AccountId>()),
    location: json<TargetLocation>(),
    /** Secret access key of an S3-compatible service, encrypted for `secretOwner`. */
    sealedSecret: optional(text),
    createdAt: instant,
  },
  key: ['bucket'],
});
export type DeliveryTarget = Row<typeof DELIVERY_TARGET>;

/** Returns the owner for which the vault encrypts the secret of a target. */
export function secretOwner({ bucket }: Pick<DeliveryTarget, 'bucket'>): string {
  return `trail target ${bucket}`;
}

/** Encrypted secrets of targets, for a rotation of the operator key. The key of a row is the name of the bucket. */
export const SEALED_TARGETS = {
  list: async (tx: Tx) => (await tx.of(deliveryTargets).list()).flatMap(sealedOf),
  get: async (tx: Tx, bucket: string) =>
    [await tx.of(deliveryTargets).get(bucket)].flatMap((target) => (target ? sealedOf(target) : []))[0],
  put: (tx: Tx, bucket: string, sealed: string) => tx.of(deliveryTargets).setSecret(bucket, sealed),
};

function sealedOf(target: DeliveryTarget) {
  return target.sealedSecret === undefined ? [] : [{ key: target.bucket, sealed: target.sealedSecret, boundTo: secretOwner(target) }];
}

/** Most targets of a database. */
export const TARGETS_MAX = 1_000;

export interface DeliveryTargets {
  get(bucket: string): Promise<DeliveryTarget | undefined>;
  /** Returns all targets, in the order of their names. */
  list(): Promise<readonly DeliveryTarget[]>;
  /** Adds a target. Returns 'exists', and changes nothing, if the name is bound. */
  add(target: DeliveryTarget): Promise<'added' | 'exists'>;
  remove(bucket: string): Promise<'removed' | 'absent'>;
  /** Replaces the encrypted secret of a target. */
  setSecret(bucket: string, sealedSecret: string): Promise<void>;
}

const setSecret = DELIVERY_TARGET.update('sealedSecret');

/** Creates the repository of one transaction. */
export function deliveryTargets(sql: Sql): DeliveryTargets {
  return {
    get: (bucket) => DELIVERY_TARGET.get(sql, bucket),
    list: () => DELIVERY_TARGET.page(sql, [], [''], TARGETS_MAX),
    add: (target) => DELIVERY_TARGET.add(sql, target),
    remove: (bucket) => DELIVERY_TARGET.remove(sql, bucket),
    async setSecret(bucket, sealedSecret) {
      await setSecret(sql, { bucket, sealedSecret });
    },
  };
}
