import type { Vault } from '#core/vault.ts';
import type { VoiceLimits } from '../chime-kit/voice-limits.ts';
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
