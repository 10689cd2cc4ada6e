import type { Vault } from '#core/vault.ts';

/** Dependencies of the identity operations, in addition to a call. */
export interface IdentityDeps {
  readonly limits: IdentityLimits;
  /** Encrypts the attributes of endpoints. */
  readonly vault: Vault;
}

/** Limits on the number of resources. */
export interface IdentityLimits {
  /** App instances in one account and region. */
  readonly appInstances: number;
  /** Users, bots and administrators of one app instance. */
  readonly users: number;
  readonly bots: number;
  readonly admins: number;
  /** Endpoints of one user. */
  readonly endpoints: number;
}

/**
 * Default limits.
 *
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", messaging.
 * Assumed: an app instance can have as many bots as administrators.
 */
export const DEFAULT_LIMITS: IdentityLimits = { appInstances: 100, users: 100_000, bots: 100, admins: 100, endpoints: 10 };
