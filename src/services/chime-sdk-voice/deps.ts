import type { Vault } from '#core/vault.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import type { SipPeers } from './sip-peers.ts';

/** Dependencies of the voice operations. */
export interface VoiceDeps {
  readonly sipPeers: SipPeers;
  readonly vault: Pick<Vault, 'seal'>;
  readonly limits: VoiceLimits;
  readonly ownedBuckets: Pick<OwnedBuckets, 'owns'>;
  /** Suffix of outbound host names, with its dot. */
  readonly hostSuffix: string;
}

/** Limits on the number of resources. */
export interface VoiceLimits {
  /** Voice Connectors in one account and region. */
  readonly connectors: number;
  /** Voice Connector groups of one account, in all regions. */
  readonly groups: number;
  /** Voice Connectors in one group. */
  readonly connectorsInGroup: number;
  /** Maximum outbound telephone calls per second of one Voice Connector. */
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
 * Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas", SIP trunking and voice quotas. Requirement
 * RES-1 also states the limits on groups.
 * Assumed: (1) The limit on SIP rules, because CreateSipRule documents that there is a limit but not its value. (2) The
 * limit on credentials, which is the number that Terraform accepts at once.
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
