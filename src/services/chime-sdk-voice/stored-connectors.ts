/** Stored Voice Connectors, and the conversion of documents that earlier versions of Belfry stored. */
import type {
  EmergencyCallingConfiguration,
  ExternalSystemsConfiguration,
  LoggingConfiguration,
  NetworkType,
  Origination,
  StreamingConfiguration,
  Termination,
  TerminationHealth,
  VoiceConnectorAwsRegion,
  VoiceConnectorIntegrationType,
} from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKind, StoredDocument } from '#store/resources.ts';
import { renamedMembers } from '../kit/renamed-members.ts';

export interface VoiceConnectorDocument {
  readonly Name: string;
  /**
   * Region that handles the telephone calls of the Voice Connector. The region in the resource key is the region of the
   * CreateVoiceConnector request. These two regions may differ.
   */
  readonly AwsRegion: VoiceConnectorAwsRegion;
  readonly RequireEncryption: boolean;
  readonly IntegrationType?: VoiceConnectorIntegrationType;
  readonly NetworkType: NetworkType;
  readonly Origination?: Origination;
  readonly Termination?: Termination;
  /** Last SIP OPTIONS request. It belongs to the termination. */
  readonly TerminationHealth?: TerminationHealth;
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
  /** Password, encrypted by `Vault.seal`. The encryption is bound to the result of `sipCredentialBinding`. */
  readonly sealedPassword: string;
}

export const STORED_VOICE_CONNECTOR: ResourceKind<VoiceConnectorDocument> = { name: 'vc', upgrade: upgradeConnector };

/**
 * Returns the `boundTo` argument of `Vault.seal` for the password of a SIP user. It contains the connector's ID and the
 * user's name. So the password cannot be decrypted as the password of another user.
 */
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

/**
 * Converts a document that an earlier version of Belfry stored. In such a document, the member names are in camelCase.
 * The member `configurations` contains all configurations.
 */
function upgradeConnector({ configurations = {}, ...stored }: StoredDocument): VoiceConnectorDocument {
  const { Credentials = [], ...document } = withNewNames(stored);
  return {
    ...document,
    ...configurationsWithNewNames(configurations as StoredDocument),
    Credentials: (Credentials as readonly StoredDocument[]).map(credentialWithNewNames),
  } as unknown as VoiceConnectorDocument;
}
