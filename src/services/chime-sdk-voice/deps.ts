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
  /** Voice Connectors in one account and region. */
  readonly connectors: number;
  /** Voice Connector groups of one account, in all regions. */
  readonly groups: number;
  /** Voice Connectors in one group. */
  readonly connectorsInGroup: number;
  /** Maximum calls per second of a termination. */
  readonly callsPerSecond: number;
  /** SIP media applications in one account and region. */
  readonly sipMediaApplications: number;
  /** SIP rules of one account, in all regions. */
  readonly sipRules: number;
  /** SIP users of one Voice Connector. */
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
