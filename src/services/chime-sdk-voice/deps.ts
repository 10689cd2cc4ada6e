import type { Vault } from '#core/vault.ts';

/** What the voice operations are told once, where the server is put together. */
export interface VoiceDeps {
  readonly vault: Pick<Vault, 'seal'>;
  readonly limits: VoiceLimits;
}

export interface VoiceLimits {
  /** Of one account in one region. */
  readonly connectors: number;
  /** Of one account, in all regions. */
  readonly groups: number;
  readonly connectorsInGroup: number;
  /** The most that a connector's termination may ask for. */
  readonly callsPerSecond: number;
  /** Of one account in one region. */
  readonly sipMediaApplications: number;
  /** Of one account, in all regions. */
  readonly sipRules: number;
  /** SIP users of one connector. */
  readonly credentials: number;
}

/**
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", SIP trunking and voice quotas; groups also RES-1.
 * Assumed: SIP rules, of which CreateSipRule says no more than that there is a limit; credentials, after what Terraform takes at once.
 */
export const DEFAULT_LIMITS: VoiceLimits = {
  connectors: 3,
  groups: 3,
  connectorsInGroup: 3,
  callsPerSecond: 1,
  sipMediaApplications: 30,
  sipRules: 100,
  credentials: 10,
};
