/** Targets of log files by the name of their bucket: those that the operator bound, and buckets of this server. */
import type { Vault } from '#core/vault.ts';
import type { LogBuckets } from '#services/cloudtrail/log-buckets.ts';
import type { Store } from '#store/store.ts';
import { type DeliveryTarget, deliveryTargets, secretOwner } from '../tables/delivery-targets.ts';
import { folderTarget } from './folder.ts';
import { type LogTarget, TargetError } from './log-target.ts';
import { s3Target } from './s3.ts';

export interface BoundTargetParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly vault: Pick<Vault, 'open'>;
  /** Opens the target of a binding. It opens no connection before the first write. */
  readonly open: OpenTarget;
  /** Buckets of this server. */
  readonly own: LogTarget;
}

/** Opens a target. `secret` is the secret access key of an S3-compatible service. */
export type OpenTarget = (target: DeliveryTarget, secret: string | undefined) => LogTarget;

/** Opens targets on this machine and network. */
export const openTarget: OpenTarget = ({ location }, secret = '') =>
  location.kind === 'folder' ? folderTarget(location.path) : s3Target({ ...location, secretAccessKey: secret });

/** Buckets of a server that has none. */
export const NO_OWN_BUCKETS: LogTarget = {
  put: async () => {
    throw new TargetError('NoSuchBucket', 'the bucket does not exist');
  },
};

/** Writes to one target at the same time. A write that never ends, for example on a lost network file system, counts too. */
const WRITES_MAX = 64;

/**
 * Creates the target that finds the target of each object by its bucket. Reads the binding with each object, so that a changed binding
 * applies at once on all servers.
 */
export function boundTargets({ store, vault, open, own }: BoundTargetParts): LogTarget {
  /** Open targets by the text of their binding. */
  const opened = new Map<string, { readonly target: LogTarget; writes: number }>();

  function targetOf(binding: DeliveryTarget) {
    const key = JSON.stringify(binding);
    let found = opened.get(key);
    if (found === undefined) {
      const secret = binding.sealedSecret === undefined ? undefined : vault.open(binding.sealedSecret, secretOwner(binding));
      for (const [other, { writes }] of opened) if (writes === 0 && isOf(other, binding.bucket)) opened.delete(other);
      opened.set(key, (found = { target: open(binding, secret), writes: 0 }));
    }
    return found;
  }

  return {
    async put(object) {
      const binding = await store.transaction((tx) => tx.of(deliveryTargets).get(object.bucket));
      if (binding === undefined) return await own.put(object);
      if (binding.accountId !== undefined && binding.accountId !== object.trailAccountId)
        throw new TargetError('AccessDenied', 'the target belongs to another account');
      const found = targetOf(binding);
      if (found.writes >= WRITES_MAX) throw new TargetError(undefined, 'earlier writes to the target have not ended');
      found.writes++;
      try {
        await found.target.put(object);
      } finally {
        found.writes--;
      }
    },
  };
}

function isOf(key: string, bucket: string): boolean {
  return (JSON.parse(key) as DeliveryTarget).bucket === bucket;
}

/** Returns the check of buckets for trails: a bound name first, then the buckets of this server. */
export function boundLogBuckets(own: LogBuckets): LogBuckets {
  return {
    async check(tx, request) {
      const binding = await tx.of(deliveryTargets).get(request.bucket);
      if (binding === undefined) return await own.check(tx, request);
      return binding.accountId === undefined || binding.accountId === request.accountId ? 'ok' : 'denied';
    },
  };
}
