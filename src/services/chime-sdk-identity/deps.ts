import type { Vault } from '#core/vault.ts';
import type { Tx } from '#store/store.ts';
import type { Where } from '../chime/app-instances.ts';

/** What the identity operations are told once, where the server is put together. */
export interface IdentityDeps {
  readonly limits: IdentityLimits;
  /** Seals what endpoints are reached by. */
  readonly vault: Vault;
  /** Default: nobody hears. */
  readonly tell?: Tell;
}

export interface IdentityLimits {
  /** Of one account in one region. */
  readonly appInstances: number;
  /** Of one app instance, as the next two. */
  readonly users: number;
  readonly bots: number;
  readonly admins: number;
  /** Of one user. */
  readonly endpoints: number;
}

/**
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", messaging.
 * Assumed: bots as many as administrators.
 */
export const DEFAULT_LIMITS: IdentityLimits = { appInstances: 100, users: 100_000, bots: 100, admins: 100, endpoints: 10 };

/** Hears of what happened, in the operation's own transaction: it writes to `tx`. */
export type Tell = (tx: Tx, event: IdentityEvent) => Promise<void>;

/**
 * What others must hear, because they keep something of it: memberships and messages of who is gone, channels of an app instance.
 * By then it is gone here, with its administrators and endpoints. An app instance is told once, and not who was in it.
 */
export type IdentityEvent = Where & { readonly appInstanceId: string; readonly arn: string } & (
    | { readonly type: 'AppInstanceDeleted' }
    | { readonly type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired' | 'AppInstanceBotDeleted'; readonly id: string }
  );
