import type { Vault } from '#core/vault.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { CHIME_SETTINGS } from '../chime-kit/settings.ts';
import type { VoiceLimits } from '../chime-kit/voice-limits.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import { arnOf } from '../kit/resource-access.ts';
import { type Reseal, sealedKind, service } from '../kit/service.ts';
import { listOfAccount } from './access.ts';
import { forgetCalls } from './forget-calls.ts';
import {
  SIP_MEDIA_APPLICATION,
  SIP_RULE,
  sipCredentialBinding,
  VOICE_CONNECTOR,
  VOICE_CONNECTOR_GROUP,
  VOICE_PROFILE_DOMAIN,
  type VoiceConnectorDocument,
} from './kinds.ts';

/** Parts of the server that Chime SDK voice needs. */
export interface VoiceParts {
  readonly vault: Vault;
  /** Private networks and host names of SIP systems that Voice Connectors may use, in addition to public addresses. */
  readonly privateSipPeers: readonly string[];
  /** Suffix of outbound host names, with its dot. */
  readonly sipHostSuffix: string;
  readonly voiceLimits: VoiceLimits;
  /** Loads the buckets of S3. */
  readonly loadOwnedBuckets: () => Promise<OwnedBuckets>;
}

/** Chime SDK voice: Voice Connectors, their groups, SIP media applications, SIP rules and voice profile domains. */
export const voice = service<VoiceParts>({
  name: 'chime-sdk-voice',
  async operations({ vault, privateSipPeers, sipHostSuffix, voiceLimits, loadOwnedBuckets }) {
    const [ownedBuckets, { voiceOperations }, { sipPeers }] = await Promise.all([
      loadOwnedBuckets(),
      import('./operations.ts'),
      import('./sip-peers.ts'),
    ]);
    return voiceOperations({ vault, ownedBuckets, limits: voiceLimits, sipPeers: sipPeers(privateSipPeers), hostSuffix: sipHostSuffix });
  },
  kinds: [VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, SIP_MEDIA_APPLICATION, SIP_RULE, VOICE_PROFILE_DOMAIN, CHIME_SETTINGS],
  sealed: [sealedKind(VOICE_CONNECTOR, resealedConnector)],
  sweeps: [() => forgetCalls],
  linkedRoles: [
    {
      principal: 'voiceconnector.chime.amazonaws.com',
      // A Voice Connector uses the role while it has a streaming configuration. Source: security.md §9.1, "must be
      // removed first", which lists streaming configurations, but not SIP media applications.
      usedBy: async ({ tx }, accountId, limit) =>
        (await listOfAccount(tx, { accountId }, VOICE_CONNECTOR))
          .filter(({ document }) => document.StreamingConfiguration !== undefined)
          .slice(0, limit)
          .map((connector) => ({ region: connector.region, arn: arnOf(VOICE_CONNECTOR, connector) })),
    },
  ],
});

/**
 * Returns the connector record with re-encrypted passwords of its SIP users. Uses the newest operator key, the key that
 * encrypts all stored secrets.
 */
function resealedConnector(connector: ResourceRecord<VoiceConnectorDocument>, reseal: Reseal): ResourceRecord<VoiceConnectorDocument> {
  const Credentials = connector.document.Credentials.map(({ Username, sealedPassword }) => ({
    Username,
    sealedPassword: reseal(sealedPassword, sipCredentialBinding(connector.id, Username)),
  }));
  return { ...connector, document: { ...connector.document, Credentials } };
}
