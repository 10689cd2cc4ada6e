/** Stored Voice Connectors, and their form in earlier versions. */
import type {
  EmergencyCallingConfiguration,
  ExternalSystemsConfiguration,
  LoggingConfiguration,
  NetworkType,
  Origination,
  StreamingConfiguration,
  Termination,
  VoiceConnectorAwsRegion,
  VoiceConnectorIntegrationType,
} from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKind, StoredDocument } from '#store/resources.ts';
import { renamedMembers } from '../kit/renamed-members.ts';

export interface VoiceConnectorDocument {
  readonly Name: string;
  /** Region of the calls. The region in the resource key is the region of the control plane. */
  readonly AwsRegion: VoiceConnectorAwsRegion;
  readonly RequireEncryption: boolean;
  readonly IntegrationType?: VoiceConnectorIntegrationType;
  readonly NetworkType: NetworkType;
  readonly Origination?: Origination;
  readonly Termination?: Termination;
  readonly EmergencyCallingConfiguration?: EmergencyCallingConfiguration;
  readonly ExternalSystemsConfiguration?: ExternalSystemsConfiguration;
  readonly LoggingConfiguration?: LoggingConfiguration;
  readonly StreamingConfiguration?: StreamingConfiguration;
  /** Termination credentials, at most one for each user name. */
  readonly Credentials: readonly SipCredential[];
}

/** User name and password of a SIP client. */
export interface SipCredential {
  readonly Username: string;
  /** Sealed by the vault, bound to `sipCredentialBinding`. */
  readonly sealedPassword: string;
}

export const STORED_VOICE_CONNECTOR: ResourceKind<VoiceConnectorDocument> = { name: 'vc', upgrade: upgradeConnector };

/** Returns the binding of the sealed password of a SIP user. */
export function sipCredentialBinding(voiceConnectorId: string, username: string): string {
  return `vc/${voiceConnectorId}/${username}`;
}

const withNewNames = renamedMembers({
  name: 'Name',
  awsRegion: 'AwsRegion',
  requireEncryption: 'RequireEncryption',
  integrationType: 'IntegrationType',
  networkType: 'NetworkType',
  credentials: 'Credentials',
});

const configurationsWithNewNames = renamedMembers({
  origination: 'Origination',
  termination: 'Termination',
  emergencyCalling: 'EmergencyCallingConfiguration',
  externalSystems: 'ExternalSystemsConfiguration',
  logging: 'LoggingConfiguration',
  streaming: 'StreamingConfiguration',
});

const credentialWithNewNames = renamedMembers({ username: 'Username' });

/** Converts documents of earlier versions, which have camelCase members and all configurations in `configurations`. */
function upgradeConnector({ configurations = {}, ...stored }: StoredDocument): VoiceConnectorDocument {
  const { Credentials = [], ...document } = withNewNames(stored);
  return {
    ...document,
    ...configurationsWithNewNames(configurations as StoredDocument),
    Credentials: (Credentials as readonly StoredDocument[]).map(credentialWithNewNames),
  } as unknown as VoiceConnectorDocument;
}
