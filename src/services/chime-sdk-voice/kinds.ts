/** What this folder keeps of each resource, as `tx.resources` has it. */

import type { Instant } from '#core/instant.ts';
import type {
  CallDistributionType,
  EmergencyCallingConfiguration,
  ExternalSystemsConfiguration,
  LoggingConfiguration,
  NetworkType,
  Origination,
  SipMediaApplicationEndpoint,
  SipMediaApplicationLoggingConfiguration,
  SipRuleTargetApplication,
  SipRuleTriggerType,
  StreamingConfiguration,
  Termination,
  VoiceConnectorAwsRegion,
  VoiceConnectorIntegrationType,
  VoiceConnectorItem,
} from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKind } from '#store/resources.ts';

/** A kind whose name is the word its ARN has for it, and what an error calls one. */
export interface VoiceKind<Document> extends ResourceKind<Document> {
  readonly title: string;
}

export interface VoiceConnectorDocument {
  readonly name: string;
  /** Where its calls are; the region it is kept in is that of the control plane. */
  readonly awsRegion: VoiceConnectorAwsRegion;
  readonly requireEncryption: boolean;
  readonly integrationType?: VoiceConnectorIntegrationType;
  readonly networkType: NetworkType;
  readonly configurations: Configurations;
  /** One of a user name. */
  readonly credentials: readonly SipCredential[];
}

/** What is put on a connector by itself, as the model has it. */
export interface Configurations {
  readonly origination?: Origination;
  readonly termination?: Termination;
  readonly emergencyCalling?: EmergencyCallingConfiguration;
  readonly externalSystems?: ExternalSystemsConfiguration;
  readonly logging?: LoggingConfiguration;
  readonly streaming?: StreamingConfiguration;
}

/** A user name and password of SIP. */
export interface SipCredential {
  readonly username: string;
  /** Sealed by the vault, bound to `sipCredentialBinding`. */
  readonly sealedPassword: string;
}

export interface VoiceConnectorGroupDocument {
  readonly name: string;
  readonly items: readonly VoiceConnectorItem[];
  readonly callDistributionType: CallDistributionType;
}

export interface SipMediaApplicationDocument {
  readonly name: string;
  readonly awsRegion: string;
  readonly endpoints: readonly SipMediaApplicationEndpoint[];
  readonly logging?: SipMediaApplicationLoggingConfiguration;
}

export interface SipRuleDocument {
  readonly name: string;
  readonly disabled: boolean;
  readonly triggerType: SipRuleTriggerType;
  readonly triggerValue: string;
  readonly targetApplications: readonly SipRuleTargetApplication[];
}

/** What an account has once, whatever the region. */
export interface VoiceSettingsDocument {
  /** Where call detail records go. */
  readonly cdrBucket?: string;
  readonly callingName?: { readonly name: string; readonly updatedAt: Instant };
}

export const VOICE_CONNECTOR: VoiceKind<VoiceConnectorDocument> = { name: 'vc', title: 'Voice Connector' };
/** Assumed: `vcg` in its ARN. The service authorization reference knows no groups. */
export const VOICE_CONNECTOR_GROUP: VoiceKind<VoiceConnectorGroupDocument> = { name: 'vcg', title: 'Voice Connector group' };
export const SIP_MEDIA_APPLICATION: VoiceKind<SipMediaApplicationDocument> = { name: 'sma', title: 'SIP media application' };
/** Has no ARN. */
export const SIP_RULE: VoiceKind<SipRuleDocument> = { name: 'sip-rule', title: 'SIP rule' };
export const VOICE_SETTINGS: ResourceKind<VoiceSettingsDocument> = { name: 'voice-settings' };

/** What the password of a SIP user of a connector is sealed for. */
export function sipCredentialBinding(voiceConnectorId: string, username: string): string {
  return `vc/${voiceConnectorId}/${username}`;
}
