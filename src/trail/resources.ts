import { parseArn } from '#core/arn.ts';
import type { ServiceName } from '#model/model.ts';
import type { TrailRow } from '#store/trail.ts';

/**
 * CloudFormation-like types by an ARN's service and the word its resource begins with.
 *
 * Source: CloudTrail User Guide, "Supported services", resource types of IAM; security.md LOG-2 for `AWS::Chime::…`.
 * Assumed: the words after `AWS::Chime::`, from the resource types of the service authorization reference.
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
  'chime vc':                 'AWS::Chime::VoiceConnector',
  'chime sma':                'AWS::Chime::SipMediaApplication',
  'chime voice-profile':      'AWS::Chime::VoiceProfile',
  'chime voice-profile-domain': 'AWS::Chime::VoiceProfileDomain',
};

/** What IAM's own events call by its name; everything else, and a role that STS lets be assumed, by its ARN. Source: answers of LookupEvents, `ResourceName`. */
const NAMED: ReadonlySet<string> = new Set(['AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Role', 'AWS::IAM::InstanceProfile']);

export interface TrailResource {
  readonly arn: string;
  readonly accountId: string;
  readonly type?: string;
}

/** One ARN as the trail names it; undefined for `*`, patterns and paths, which name no one thing. */
export function trailResource(arn: string): TrailResource | undefined {
  if (arn.endsWith('*') || arn.endsWith('/')) return undefined;
  const parts = parseArn(arn);
  if (parts === undefined) return undefined;
  const type = TYPES[`${parts.service} ${resourceWord(parts.resource)}`];
  return { arn, accountId: parts.accountId, ...(type !== undefined && { type }) };
}

/** `user` of `user/path/ada`, `channel` of `app-instance/1/channel/2`. */
function resourceWord(resource: string): string {
  const words = resource.split('/');
  return (words[0] === 'app-instance' && words.length >= 4 ? words[2] : words[0]) ?? '';
}

/** A resource as LookupEvents lists it for an event of this service. */
export function lookupResource({ arn, type }: TrailResource, service: ServiceName | undefined): TrailRow['resources'][number] {
  const name = service === 'iam' && type !== undefined && NAMED.has(type) ? arn.slice(arn.lastIndexOf('/') + 1) : arn;
  return { ...(type !== undefined && { type }), name };
}

/**
 * The ARN of what an operation made, where the request could not name it: the first `…Arn` at the top of the output or one level below.
 * `{ Meeting: { MeetingArn: 'arn:…' } }` → `arn:…`
 */
export function madeResource(output: unknown): string | undefined {
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
