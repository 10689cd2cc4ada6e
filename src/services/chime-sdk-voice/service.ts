import type { Vault } from '#core/vault.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { arnOf } from '../kit/resource-access.ts';
import { type Reseal, sealedKind, service } from '../kit/service.ts';
import { listOfAccount } from './access.ts';
import {
  SIP_MEDIA_APPLICATION,
  SIP_RULE,
  sipCredentialBinding,
  VOICE_CONNECTOR,
  VOICE_CONNECTOR_GROUP,
  VOICE_SETTINGS,
  type VoiceConnectorDocument,
} from './kinds.ts';

/** Parts of the server that voice needs. */
export interface VoiceParts {
  readonly vault: Vault;
  /** Private networks and host names of SIP systems that Voice Connectors may have. */
  readonly privateSipPeers: readonly string[];
}

/** Chime SDK voice: Voice Connectors, their groups, SIP media applications and SIP rules. */
export const voice = service<VoiceParts>({
  name: 'chime-sdk-voice',
  async operations({ vault, privateSipPeers }) {
    const [{ voiceOperations }, { DEFAULT_LIMITS }, { sipPeers }] = await Promise.all([
      import('./operations.ts'),
      import('./deps.ts'),
      import('./sip-peers.ts'),
    ]);
    return voiceOperations({ vault, limits: DEFAULT_LIMITS, sipPeers: sipPeers(privateSipPeers) });
  },
  kinds: [VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, SIP_MEDIA_APPLICATION, SIP_RULE, VOICE_SETTINGS],
  sealed: [sealedKind(VOICE_CONNECTOR, resealedConnector)],
  linkedRoles: [
    {
      principal: 'voiceconnector.chime.amazonaws.com',
      // Source: security.md §9.1, "must be removed first": streaming configurations, but not SIP media applications.
      usedBy: async ({ tx }, accountId, limit) =>
        (await listOfAccount(tx, { accountId }, VOICE_CONNECTOR))
          .filter(({ document }) => document.StreamingConfiguration !== undefined)
          .slice(0, limit)
          .map((connector) => ({ region: connector.region, arn: arnOf(VOICE_CONNECTOR, connector) })),
    },
  ],
});

/** Returns a connector with the passwords of its SIP users re-sealed. */
function resealedConnector(connector: ResourceRecord<VoiceConnectorDocument>, reseal: Reseal): ResourceRecord<VoiceConnectorDocument> {
  const Credentials = connector.document.Credentials.map(({ Username, sealedPassword }) => ({
    Username,
    sealedPassword: reseal(sealedPassword, sipCredentialBinding(connector.id, Username)),
  }));
  return { ...connector, document: { ...connector.document, Credentials } };
}
