/**
 * AWS services that this server has, one row for each service. Routing, event sources and IAM actions derive from these
 * rows. The rows repeat data of the models, so that routing does not load models. A test compares rows and models.
 */

/** Published names of protocols. `json` is awsJson 1.0 or 1.1, depending on `jsonVersion`. */
export type ProtocolName = 'rest-json' | 'rest-xml' | 'query' | 'json' | 'smithy-rpc-v2-cbor';

/** Properties of one service. */
export interface ServiceRow {
  /** Title in the Service Authorization Reference. Services with the same action prefix have the same title. */
  readonly title: string;
  readonly apiVersion: string;
  /** Protocols that the service supports. The first is the default. */
  readonly protocols: readonly ProtocolName[];
  /** Name of the service in a credential scope. */
  readonly signingName: string;
  /** First label of the host name: `meetings-chime`. */
  readonly hostPrefix: string;
  /** Prefix of `X-Amz-Target` before the operation. */
  readonly targetPrefix?: string;
  /** Prefix of the IAM actions: `chime` in `chime:CreateChannel`. */
  readonly actionPrefix: string;
  /** `eventSource` of the service's trail events. */
  readonly eventSource: string;
  /**
   * True for services without regions. Clients that use this server's endpoint sign for the region of their profile.
   * The server ignores that region and uses one fixed region for the trail record and for `aws:RequestedRegion`.
   * Otherwise a caller could choose the region in which the record is stored. As for every service, a region that does
   * not exist is an error.
   *
   * Source: CloudTrail User Guide, "Global service events": global events are recorded in one region. IAM User Guide,
   * aws:RequestedRegion.
   * Source: rusoto 1870, aws-sdk-js-v3 1024: IAM rejects every region except us-east-1.
   * Assumed: (1) the fixed region is the region of the server, by default us-east-1; (2) requests that are signed for
   * another existing region are accepted.
   */
  readonly global: boolean;
}

const CHIME = { title: 'Amazon Chime', protocols: ['rest-json'], signingName: 'chime', actionPrefix: 'chime', global: false } as const;
/** Source: both Chime guides name `chime.amazonaws.com` for all of their services (LOG-1). */
const CHIME_EVENTS = { eventSource: 'chime.amazonaws.com' } as const;

/** The services. The name of a service is also that of its folder, its model file and its base path `/_<service>`. */
// biome-ignore format: a table
export const SERVICES = {
  'chime':                     { ...CHIME, ...CHIME_EVENTS, apiVersion: '2018-05-01', hostPrefix: 'chime' },
  'chime-sdk-identity':        { ...CHIME, ...CHIME_EVENTS, apiVersion: '2021-04-20', hostPrefix: 'identity-chime' },
  'chime-sdk-meetings':        { ...CHIME, ...CHIME_EVENTS, apiVersion: '2021-07-15', hostPrefix: 'meetings-chime' },
  'chime-sdk-messaging':       { ...CHIME, ...CHIME_EVENTS, apiVersion: '2021-05-15', hostPrefix: 'messaging-chime' },
  'chime-sdk-media-pipelines': { ...CHIME, ...CHIME_EVENTS, apiVersion: '2021-07-15', hostPrefix: 'media-pipelines-chime' },
  'chime-sdk-voice':           { ...CHIME, ...CHIME_EVENTS, apiVersion: '2022-08-03', hostPrefix: 'voice-chime' },
  'iam': {
    title: 'AWS Identity and Access Management', apiVersion: '2010-05-08', protocols: ['query'],
    signingName: 'iam', hostPrefix: 'iam', actionPrefix: 'iam', eventSource: 'iam.amazonaws.com', global: true,
  },
  'sts': {
    title: 'AWS Security Token Service', apiVersion: '2011-06-15', protocols: ['query'],
    signingName: 'sts', hostPrefix: 'sts', actionPrefix: 'sts', eventSource: 'sts.amazonaws.com', global: false,
  },
  'cloudtrail': {
    title: 'AWS CloudTrail', apiVersion: '2013-11-01', protocols: ['json'], targetPrefix: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
    signingName: 'cloudtrail', hostPrefix: 'cloudtrail', actionPrefix: 'cloudtrail', eventSource: 'cloudtrail.amazonaws.com', global: false,
  },
  'events': {
    title: 'Amazon EventBridge', apiVersion: '2015-10-07', protocols: ['json'], targetPrefix: 'AWSEvents',
    signingName: 'events', hostPrefix: 'events', actionPrefix: 'events', eventSource: 'events.amazonaws.com', global: false,
  },
  'cloudwatch': {
    title: 'Amazon CloudWatch', apiVersion: '2010-08-01', protocols: ['smithy-rpc-v2-cbor', 'json', 'query'], targetPrefix: 'GraniteServiceVersion20100801',
    signingName: 'monitoring', hostPrefix: 'monitoring', actionPrefix: 'cloudwatch', eventSource: 'monitoring.amazonaws.com', global: false,
  },
  'logs': {
    title: 'Amazon CloudWatch Logs', apiVersion: '2014-03-28', protocols: ['json'], targetPrefix: 'Logs_20140328',
    signingName: 'logs', hostPrefix: 'logs', actionPrefix: 'logs', eventSource: 'logs.amazonaws.com', global: false,
  },
  'accessanalyzer': {
    title: 'AWS IAM Access Analyzer', apiVersion: '2019-11-01', protocols: ['rest-json'],
    signingName: 'access-analyzer', hostPrefix: 'access-analyzer', actionPrefix: 'access-analyzer', eventSource: 'access-analyzer.amazonaws.com', global: false,
  },
  'organizations': {
    title: 'AWS Organizations', apiVersion: '2016-11-28', protocols: ['json'], targetPrefix: 'AWSOrganizationsV20161128',
    signingName: 'organizations', hostPrefix: 'organizations', actionPrefix: 'organizations', eventSource: 'organizations.amazonaws.com', global: true,
  },
  's3': {
    title: 'Amazon S3', apiVersion: '2006-03-01', protocols: ['rest-xml'],
    signingName: 's3', hostPrefix: 's3', actionPrefix: 's3', eventSource: 's3.amazonaws.com', global: false,
  },
} as const satisfies Readonly<Record<string, ServiceRow>>;

/** Name of a service in this server. */
export type ServiceName = keyof typeof SERVICES;

/** Names of the services, in the order of their rows. */
export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[];

/** Returns the row of a service. */
export function serviceRow(service: ServiceName): ServiceRow {
  return SERVICES[service];
}

/** Reports whether a service is a Chime service. All Chime services have the signing name `chime`. */
export function isChime(service: ServiceName): boolean {
  return SERVICES[service].signingName === 'chime';
}

/**
 * Chime's services, in the order in which routing tries them. The classic service `chime` is last. If a request does
 * not name its service, routing prefers a newer service that also has the route.
 */
export const CHIME_SERVICES: readonly ServiceName[] = [...SERVICE_NAMES.filter((name) => isChime(name) && name !== 'chime'), 'chime'];

/**
 * IAM actions of operations, if the action and the operation have different names.
 *
 * Source: Service Authorization Reference, IAM Access Analyzer, which has no actions for the V2 operations. Amazon S3 User Guide, "Required
 * permissions for Amazon S3 API operations".
 */
const OTHER_ACTIONS: Readonly<Record<string, string>> = {
  'access-analyzer:GetFindingV2': 'GetFinding',
  'access-analyzer:ListFindingsV2': 'ListFindings',
  's3:ListBuckets': 'ListAllMyBuckets',
  's3:HeadBucket': 'ListBucket',
  's3:ListObjects': 'ListBucket',
  's3:ListObjectsV2': 'ListBucket',
  's3:HeadObject': 'GetObject',
  's3:DeleteObjects': 'DeleteObject',
  's3:CreateMultipartUpload': 'PutObject',
  's3:UploadPart': 'PutObject',
  's3:CompleteMultipartUpload': 'PutObject',
  's3:ListMultipartUploads': 'ListBucketMultipartUploads',
  's3:ListParts': 'ListMultipartUploadParts',
  's3:PutBucketLifecycleConfiguration': 'PutLifecycleConfiguration',
  's3:GetBucketLifecycleConfiguration': 'GetLifecycleConfiguration',
  's3:DeleteBucketLifecycle': 'PutLifecycleConfiguration',
};

/** Returns the action that an operation requires: `actionName('chime-sdk-messaging', 'CreateChannel')` is `chime:CreateChannel`. */
export function actionName(service: ServiceName, operation: string): `${string}:${string}` {
  const prefix = SERVICES[service].actionPrefix;
  return `${prefix}:${OTHER_ACTIONS[`${prefix}:${operation}`] ?? operation}`;
}

/** Returns the title of the service with an action prefix, or the prefix itself if this server has no such service. */
export function titleOfPrefix(prefix: string): string {
  return Object.values(SERVICES).find(({ actionPrefix }) => actionPrefix === prefix)?.title ?? prefix;
}
