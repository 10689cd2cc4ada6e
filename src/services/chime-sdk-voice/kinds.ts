/** Kinds of resources of Chime SDK Voice, and the rules that they share. */
import { arn } from '#core/arn.ts';
import type {
  CallDistributionType,
  ChimeSdkVoiceApi,
  ServerSideEncryptionConfiguration,
  SipMediaApplicationEndpoint,
  SipMediaApplicationLoggingConfiguration,
  SipRuleTargetApplication,
  SipRuleTriggerType,
  VoiceConnectorItem,
} from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKey, ResourceKind, StoredDocument } from '#store/resources.ts';
import { pageOf } from '../chime-kit/page.ts';
import { renamedMembers } from '../kit/renamed-members.ts';
import { type Conventions, type Kind, placeIn, type Where } from '../kit/resource-kind.ts';
import { TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { STORED_VOICE_CONNECTOR, type VoiceConnectorDocument } from './stored-connectors.ts';

export { sipCredentialBinding, type VoiceConnectorDocument } from './stored-connectors.ts';

/** Kind of a resource of this service. */
export type VoiceKind<Document> = Kind<Document, ChimeSdkVoiceApi>;

export interface VoiceConnectorGroupDocument {
  readonly Name: string;
  readonly VoiceConnectorItems: readonly VoiceConnectorItem[];
  readonly CallDistributionType: CallDistributionType;
}

export interface SipMediaApplicationDocument {
  readonly Name: string;
  readonly AwsRegion: string;
  readonly Endpoints: readonly SipMediaApplicationEndpoint[];
  readonly SipMediaApplicationLoggingConfiguration?: SipMediaApplicationLoggingConfiguration;
}

export interface SipRuleDocument {
  readonly Name: string;
  readonly Disabled: boolean;
  readonly TriggerType: SipRuleTriggerType;
  readonly TriggerValue: string;
  readonly TargetApplications: readonly SipRuleTargetApplication[];
}

export interface VoiceProfileDomainDocument {
  readonly Name: string;
  readonly Description?: string;
  readonly ServerSideEncryptionConfiguration: ServerSideEncryptionConfiguration;
}

/**
 * Rules that all kinds in this file share.
 *
 * Source: Chime SDK API reference, ListSipRules, MaxResults: the page size. AWS provider of Terraform, issue 34218: the
 * message for an unknown Voice Connector.
 * Assumed: (1) The other lists have the same page size. (2) The wording of the other messages.
 */
const CONVENTIONS: Conventions = {
  service: 'chime-sdk-voice',
  tagRules: TAG_RULES.chime,
  notFound: (title, id) => new AwsError('NotFoundException', `Could not find ${title} with Id '${id}'`),
  limitExceeded: (title, most) =>
    new AwsError('ResourceLimitExceededException', `The maximum of ${most} is reached for the resource type '${title}'.`),
  page: pageOf,
  pageResults: 100,
};

/** IDs that this service issues: 22 letters and digits for a Voice Connector, UUIDs for other resources. */
const ID = /^[0-9a-z-]{1,36}$/;

function locate(where: Where, id: string): ResourceKey | undefined {
  return ID.test(id) ? { ...placeIn(where), id } : undefined;
}

export const VOICE_CONNECTOR: VoiceKind<VoiceConnectorDocument> = {
  ...STORED_VOICE_CONNECTOR,
  conventions: CONVENTIONS,
  title: 'VoiceConnector',
  identifiers: ['VoiceConnectorId'],
  locate,
  arn: { member: 'VoiceConnectorArn', of: arnOfType('vc') },
};

/** Assumed: the resource type `vcg` of the ARN. The service authorization reference does not list groups. */
export const VOICE_CONNECTOR_GROUP: VoiceKind<VoiceConnectorGroupDocument> = {
  name: 'vcg',
  upgrade: upgrade({ name: 'Name', items: 'VoiceConnectorItems', callDistributionType: 'CallDistributionType' }),
  conventions: CONVENTIONS,
  title: 'VoiceConnectorGroup',
  identifiers: ['VoiceConnectorGroupId'],
  locate,
  arn: { member: 'VoiceConnectorGroupArn', of: arnOfType('vcg') },
};

export const SIP_MEDIA_APPLICATION: VoiceKind<SipMediaApplicationDocument> = {
  name: 'sma',
  upgrade: upgrade({
    name: 'Name',
    awsRegion: 'AwsRegion',
    endpoints: 'Endpoints',
    logging: 'SipMediaApplicationLoggingConfiguration',
  }),
  conventions: CONVENTIONS,
  title: 'SipMediaApplication',
  identifiers: ['SipMediaApplicationId'],
  locate,
  arn: { member: 'SipMediaApplicationArn', of: arnOfType('sma') },
};

/** SIP rules, which have no ARN. */
export const SIP_RULE: VoiceKind<SipRuleDocument> = {
  name: 'sip-rule',
  upgrade: upgrade({
    name: 'Name',
    disabled: 'Disabled',
    triggerType: 'TriggerType',
    triggerValue: 'TriggerValue',
    targetApplications: 'TargetApplications',
  }),
  conventions: CONVENTIONS,
  title: 'SipRule',
  identifiers: ['SipRuleId'],
  locate,
};

/** Domains of voice profiles. Source: service authorization reference, resource type voice-profile-domain: the ARN. */
export const VOICE_PROFILE_DOMAIN: VoiceKind<VoiceProfileDomainDocument> = {
  name: 'voice-profile-domain',
  conventions: CONVENTIONS,
  title: 'VoiceProfileDomain',
  identifiers: ['VoiceProfileDomainId'],
  locate,
  arn: { member: 'VoiceProfileDomainArn', of: arnOfType('voice-profile-domain') },
};

/** Returns a function that returns the ARNs of one resource type: `arn:aws:chime:us-east-1:111122223333:vc/<id>`. */
function arnOfType(type: string): (key: ResourceKey) => string {
  return ({ region, accountId, id }) => arn('chime', region, accountId, `${type}/${id}`);
}

/** Returns a function that converts documents that earlier versions of Belfry stored with camelCase members. */
function upgrade<Document>(names: Readonly<Record<string, string>>): NonNullable<ResourceKind<Document>['upgrade']> {
  const withNewNames = renamedMembers(names);
  return (stored: StoredDocument) => withNewNames(stored) as unknown as Document;
}
