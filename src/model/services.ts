/**
 * Services of AWS that this server has, one row each. Routing, event sources and IAM actions derive from these rows.
 * The rows repeat facts of the models, so that routing loads no model. A test compares them.
 */

/** Published names of protocols. `json` is awsJson 1.0 or 1.1, depending on `jsonVersion`. */
export type ProtocolName = 'rest-json' | 'query' | 'json' | 'smithy-rpc-v2-cbor';

/** Facts of one service. */
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
   * True for services without regions. Clients that use this server's endpoint sign for the region of their profile. That region must
   * neither hide a call's record nor determine `aws:RequestedRegion`. A region that does not exist is an error, as for every service.
   *
   * Source: CloudTrail User Guide, "Global service events": they are recorded in one region. IAM User Guide, aws:RequestedRegion.
   * Source: rusoto 1870, aws-sdk-js-v3 1024: IAM rejects every region but us-east-1.
   * Assumed: that region is the server's, by default us-east-1, and the server accepts other existing regions.
   */
  readonly global: boolean;
}

const CHIME = { title: 'Amazon Chime', protocols: ['rest-json'], signingName: 'chime', actionPrefix: 'chime', global: false } as const;
/** Source: both Chime guides name `chime.amazonaws.com` for all of their services (LOG-1). */
const CHIME_EVENTS = { eventSource: 'chime.amazonaws.com' } as const;

/** The services. A name is the folder in `services/`, the file in `generated/` and the base path `/_<service>`. */
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
  'accessanalyzer': {
    title: 'AWS IAM Access Analyzer', apiVersion: '2019-11-01', protocols: ['rest-json'],
    signingName: 'access-analyzer', hostPrefix: 'access-analyzer', actionPrefix: 'access-analyzer', eventSource: 'access-analyzer.amazonaws.com', global: false,
  },
  'organizations': {
    title: 'AWS Organizations', apiVersion: '2016-11-28', protocols: ['json'], targetPrefix: 'AWSOrganizationsV20161128',
    signingName: 'organizations', hostPrefix: 'organizations', actionPrefix: 'organizations', eventSource: 'organizations.amazonaws.com', global: true,
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

/** Reports whether a service is one of Chime's, which all sign as `chime`. */
export function isChime(service: ServiceName): boolean {
  return SERVICES[service].signingName === 'chime';
}

/** Chime's services. The classic service is last, because routing tries the services in this order. */
export const CHIME_SERVICES: readonly ServiceName[] = [...SERVICE_NAMES.filter((name) => isChime(name) && name !== 'chime'), 'chime'];

/**
 * Operations whose action has another name.
 *
 * Source: Service Authorization Reference, IAM Access Analyzer, which has no actions for the V2 operations.
 */
const OTHER_ACTIONS: Readonly<Record<string, string>> = {
  'access-analyzer:GetFindingV2': 'GetFinding',
  'access-analyzer:ListFindingsV2': 'ListFindings',
};

/** Returns the action that an operation requires: `actionName('chime-sdk-messaging', 'CreateChannel')` is `chime:CreateChannel`. */
export function actionName(service: ServiceName, operation: string): `${string}:${string}` {
  const prefix = SERVICES[service].actionPrefix;
  return `${prefix}:${OTHER_ACTIONS[`${prefix}:${operation}`] ?? operation}`;
}

/** Returns the title of the service with an action prefix, or the prefix itself if no service here has it. */
export function titleOfPrefix(prefix: string): string {
  return Object.values(SERVICES).find(({ actionPrefix }) => actionPrefix === prefix)?.title ?? prefix;
}
