import { parseArn } from '#core/arn.ts';
import type { ServiceName } from '#model/services.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

/**
 * Resource types in the style of CloudFormation, by the service of an ARN and the type word of its resource
 * (`typeWord`).
 *
 * Source: CloudTrail User Guide, "Supported services", resource types of IAM; security.md LOG-2 for `AWS::Chime::…`.
 * Assumed: the names after `AWS::Chime::` are the resource types of the service authorization reference.
 */
// biome-ignore format: a table
const TYPES: Readonly<Record<string, string>> = {
  'iam user':                 'AWS::IAM::User',
  'iam group':                'AWS::IAM::Group',
  'iam role':                 'AWS::IAM::Role',
  'iam policy':               'AWS::IAM::Policy',
  'iam mfa':                  'AWS::IAM::MFADevice',
  'iam saml-provider':        'AWS::IAM::SAMLProvider',
  'iam oidc-provider':        'AWS::IAM::OIDCProvider',
  'iam instance-profile':     'AWS::IAM::InstanceProfile',
  'iam server-certificate':   'AWS::IAM::ServerCertificate',
  'sts assumed-role':         'AWS::STS::AssumedRole',
  'sts federated-user':       'AWS::STS::FederatedUser',
  'cloudtrail trail':         'AWS::CloudTrail::Trail',
  'chime meeting':            'AWS::Chime::Meeting',
  'chime app-instance':       'AWS::Chime::AppInstance',
  'chime user':               'AWS::Chime::AppInstanceUser',
  'chime bot':                'AWS::Chime::AppInstanceBot',
  'chime channel':            'AWS::Chime::Channel',
  'chime channel-flow':       'AWS::Chime::ChannelFlow',
  'chime media-pipeline':     'AWS::Chime::MediaPipeline',
  'chime media-insights-pipeline-configuration': 'AWS::Chime::MediaInsightsPipelineConfiguration',
  'chime media-pipeline-kinesis-video-stream-pool': 'AWS::Chime::MediaPipelineKinesisVideoStreamPool',
  'chime vc':                 'AWS::Chime::VoiceConnector',
  'chime sma':                'AWS::Chime::SipMediaApplication',
  'chime voice-profile':      'AWS::Chime::VoiceProfile',
  'chime voice-profile-domain': 'AWS::Chime::VoiceProfileDomain',
};

/**
 * Types of resources that LookupEvents lists by name in events of IAM. All other resources, and roles in events of STS,
 * are listed by ARN.
 * Source: responses of LookupEvents, `ResourceName`.
 */
const LISTED_BY_NAME: ReadonlySet<string> = new Set(['AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Role', 'AWS::IAM::InstanceProfile']);

const BUCKET = 'arn:aws:s3:::';

/** A resource in a record. */
export interface TrailResource {
  readonly arn: string;
  /** Account that owns the resource. Empty if it is unknown. */
  readonly accountId: string;
  readonly type?: string;
}

/**
 * Converts an ARN to a resource of a record. Returns `undefined` for `*`, patterns and paths, which do not identify one resource.
 * The ARN of an OpenID Connect provider may end with a slash. `owner` is the account of a bucket, whose ARN has none. Only
 * data events have objects as resources.
 */
export function trailResource(arn: string, owner = ''): TrailResource | undefined {
  if (arn.endsWith('*')) return undefined;
  if (arn.startsWith(BUCKET)) return arn.includes('/') ? undefined : { arn, accountId: owner, type: 'AWS::S3::Bucket' };
  const parts = parseArn(arn);
  if (parts === undefined || (arn.endsWith('/') && !parts.resource.startsWith('oidc-provider/'))) return undefined;
  const type = TYPES[`${parts.service} ${typeWord(parts.resource)}`];
  return type === undefined ? { arn, accountId: parts.accountId } : { arn, accountId: parts.accountId, type };
}

/** Returns the word that determines the type: `user` for `user/path/ada`, `channel` for `app-instance/1/channel/2`. */
function typeWord(resource: string): string {
  const words = resource.split('/');
  return (words[0] === 'app-instance' && words.length >= 4 ? words[2] : words[0]) ?? '';
}

/** Converts a resource to its form in the response of LookupEvents, for an event of `service`. */
export function lookupResource({ arn, type }: TrailResource, service: ServiceName | undefined): TrailRow['resources'][number] {
  const name = service === 'iam' && type !== undefined && LISTED_BY_NAME.has(type) ? arn.slice(arn.lastIndexOf('/') + 1) : arn;
  return type === undefined ? { name } : { type, name };
}

/**
 * Returns the ARN of the created resource: the first `…Arn` at the top level of the output or one level below.
 *
 *     { Meeting: { MeetingArn: 'arn:…' } } → 'arn:…'
 */
export function createdResource(output: unknown): string | undefined {
  return (
    arnIn(output) ??
    (isRecord(output)
      ? Object.values(output)
          .map(arnIn)
          .find((found) => found !== undefined)
      : undefined)
  );
}

function arnIn(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  for (const [name, each] of Object.entries(value)) {
    if (typeof each === 'string' && (name === 'Arn' || name.endsWith('Arn')) && each.startsWith('arn:')) return each;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
