import type { Vault } from '#core/vault.ts';
import type { SipPeers } from './sip-peers.ts';

/** Dependencies of the voice operations. */
export interface VoiceDeps {
  readonly sipPeers: SipPeers;
  readonly vault: Pick<Vault, 'seal'>;
  readonly limits: VoiceLimits;
}

/** Limits on the number of resources. */
export interface VoiceLimits {
  /** In one account and region. */
  readonly connectors: number;
  /** In one account, in all regions. */
  readonly groups: number;
  readonly connectorsInGroup: number;
  /** Most calls per second of a termination. */
  readonly callsPerSecond: number;
  /** In one account and region. */
  readonly sipMediaApplications: number;
  /** In one account, in all regions. */
  readonly sipRules: number;
  /** Most SIP users of one Voice Connector. */
  readonly credentials: number;
}

/**
 * Default limits.
 *
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", SIP trunking and voice quotas; groups also RES-1.
 * Assumed: SIP rules, because CreateSipRule documents a limit but not its value; credentials, as many as Terraform accepts at once.
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
