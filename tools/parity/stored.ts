/** Inputs of implemented operations that the server refuses, or stores and returns without another effect, with the reasons. */
import type { ServiceName } from '#model/services.ts';

/** Stored or refused inputs of one operation, as paths in the model, or `*` for everything that the operation sets. */
export interface StoredInputs {
  readonly inputs: readonly string[];
  readonly reason: string;
}

type Rows = readonly (readonly [reason: string, inputs: readonly string[], operations: readonly string[]])[];

const ALL = ['*'];
const MEDIA = 'meetings carry no media';
const PHONES = 'users of Amazon Chime have no phones';
const NAMES = 'calls carry no names of callers';

// biome-ignore format: a table
const CHIME: Rows = [
  [MEDIA, ALL, ['UpdateAccountSettings']],
  [PHONES, ALL, ['UpdateUserSettings']],
  ['there is no Alexa for Business', ['AlexaForBusinessMetadata'], ['UpdateUser']],
  ['there is no Alexa for Business', ['UpdateUserRequestItems.AlexaForBusinessMetadata'], ['BatchUpdateUser']],
  ['no shared device signs in', ALL, ['AssociateSigninDelegateGroupsWithAccount', 'DisassociateSigninDelegateGroupsFromAccount']],
  [NAMES, ['CallingName'], ['UpdatePhoneNumber']],
  [NAMES, ['UpdatePhoneNumberRequestItems.CallingName'], ['BatchUpdatePhoneNumber']],
  [NAMES, ALL, ['UpdatePhoneNumberSettings']],
  [PHONES, ALL, ['AssociatePhoneNumberWithUser', 'DisassociatePhoneNumberFromUser']],
];

// biome-ignore format: a table
const MEETINGS: Rows = [
  [MEDIA, ['MediaRegion', 'MediaPlacementNetworkType', 'PrimaryMeetingId', 'MeetingFeatures.Audio', 'MeetingFeatures.Video', 'MeetingFeatures.Content'], ['CreateMeeting', 'CreateMeetingWithAttendees']],
  [MEDIA, ['Capabilities'], ['CreateAttendee', 'UpdateAttendeeCapabilities', 'BatchUpdateAttendeeCapabilitiesExcept']],
  [MEDIA, ['Attendees.Capabilities'], ['BatchCreateAttendee']],
];

// biome-ignore format: a table
const PIPELINES: Rows = [
  ['no pipeline runs with it', ALL, ['CreateMediaInsightsPipelineConfiguration', 'UpdateMediaInsightsPipelineConfiguration']],
  ['no pipeline writes to the streams of a pool, so it has none', ALL, ['CreateMediaPipelineKinesisVideoStreamPool', 'UpdateMediaPipelineKinesisVideoStreamPool']],
];

// biome-ignore format: a table
const VOICE: Rows = [
  ['calls use IPv4 only, and the systems that they connect are not known', ['IntegrationType', 'NetworkType'], ['CreateVoiceConnector']],
  ['no voice profile can be created in a domain, so nothing is encrypted', ALL, ['CreateVoiceProfileDomain', 'UpdateVoiceProfileDomain']],
  ['emergency calls are refused', ALL, ['PutVoiceConnectorEmergencyCallingConfiguration']],
  ['no part of this server uses the names of these systems', ALL, ['PutVoiceConnectorExternalSystemsConfiguration']],
  ['calls carry no media through this server', ALL, [
    'CreateSipMediaApplication', 'UpdateSipMediaApplication', 'PutSipMediaApplicationLoggingConfiguration',
    'PutVoiceConnectorStreamingConfiguration',
  ]],
  ['an enabled rule refuses the calls, because its application cannot answer them', ['TargetApplications'], ['CreateSipRule', 'UpdateSipRule']],
  ['calls carry no media through this server', ['LoggingConfiguration.EnableMediaMetricLogs'], ['PutVoiceConnectorLoggingConfiguration']],
  [NAMES, ALL, ['UpdatePhoneNumberSettings']],
  [NAMES, ['CallingName', 'Name'], ['UpdatePhoneNumber']],
  [NAMES, ['UpdatePhoneNumberRequestItems.CallingName', 'UpdatePhoneNumberRequestItems.Name'], ['BatchUpdatePhoneNumber']],
  [NAMES, ['Name'], ['CreatePhoneNumberOrder']],
];

// biome-ignore format: a table
const ORGANIZATIONS: Rows = [
  ['only CloudTrail and IAM Access Analyzer act in the accounts of an organization', ALL, ['EnableAWSServiceAccess', 'DisableAWSServiceAccess']],
];

// biome-ignore format: a table
const CLOUDTRAIL: Rows = [
  ["a delivery to a bucket is the server's own work and not a call, so no data event can record it", ['RecursiveLogging'], ['CreateTrail', 'UpdateTrail']],
  ['no part of this server searches for unusual activity', ALL, ['PutInsightSelectors']],
  ['records have no context of tags, and are not aggregated', ALL, ['PutEventConfiguration']],
];

// biome-ignore format: a table
const EVENTS: Rows = [
  ['no event is encrypted with a key of the customer, so none fails to be; no service writes logs of buses', ['DeadLetterConfig', 'LogConfig'], ['CreateEventBus', 'UpdateEventBus']],
  ['there is no X-Ray', ['Entries.TraceHeader'], ['PutEvents']],
];

// biome-ignore format: a table
const LOGS: Rows = [
  ['no part of this server groups events by entities', ['entity'], ['PutLogEvents']],
];

// biome-ignore format: a table
const CLOUDWATCH: Rows = [
  ['dashboards are drawn by consoles, and this server has none', ALL, ['PutDashboard']],
  ['metrics are stored, and entities are not', ['EntityMetricData.Entity', 'StrictEntityValidation'], ['PutMetricData']],
];

/** Stored inputs by operation, for the services that have any. */
export const STORED: Readonly<Partial<Record<ServiceName, ReadonlyMap<string, StoredInputs>>>> = {
  chime: byOperation(CHIME),
  'chime-sdk-meetings': byOperation(MEETINGS),
  'chime-sdk-media-pipelines': byOperation(PIPELINES),
  'chime-sdk-voice': byOperation(VOICE),
  organizations: byOperation(ORGANIZATIONS),
  cloudtrail: byOperation(CLOUDTRAIL),
  events: byOperation(EVENTS),
  logs: byOperation(LOGS),
  cloudwatch: byOperation(CLOUDWATCH),
};

// biome-ignore format: a table
const CHIME_REFUSED: Rows = [
  ['there is no carrier', ['MeetingId', 'FromPhoneNumber', 'ToPhoneNumber', 'JoinToken'], ['CreateMeetingDialOut']],
];

// biome-ignore format: a table
const CLOUDTRAIL_REFUSED: Rows = [
  ['there are no KMS keys', ['KmsKeyId'], ['CreateTrail', 'UpdateTrail']],
  ['there are no event data stores', ['EventDataStore'], ['GetInsightSelectors', 'PutEventConfiguration', 'GetEventConfiguration']],
  ['there are no event data stores', ['EventDataStore', 'InsightsDestination'], ['PutInsightSelectors']],
];

// biome-ignore format: a table
const EVENTS_REFUSED: Rows = [
  ['there are no KMS keys and event sources of partners', ['KmsKeyIdentifier', 'EventSourceName'], ['CreateEventBus']],
  ['there are no KMS keys', ['KmsKeyIdentifier'], ['UpdateEventBus', 'CreateArchive', 'UpdateArchive']],
  ['there are no KMS keys and private endpoints', ['KmsKeyIdentifier', 'InvocationConnectivityParameters', 'AuthParameters.ConnectivityParameters'], ['CreateConnection', 'UpdateConnection']],
  ['there are no global endpoints', ['EndpointId'], ['PutEvents']],
  ['targets of these services are in FailedEntries', ['EcsParameters', 'BatchParameters', 'RunCommandParameters', 'RedshiftDataParameters', 'SageMakerPipelineParameters', 'AppSyncParameters'].map((name) => `Targets.${name}`), ['PutTargets']],
];

// biome-ignore format: a table
const LOGS_REFUSED: Rows = [
  ['there is no KMS, and STANDARD is the only class', ['kmsKeyId', 'logGroupClass'], ['CreateLogGroup']],
  ['events are not transformed, and events have no system fields', ['applyOnTransformedLogs', 'fieldSelectionCriteria', 'emitSystemFieldDimensions'], ['PutMetricFilter']],
  ['policies are those of an account, and not of one log group', ['resourceArn', 'expectedRevisionId'], ['PutResourcePolicy', 'DeleteResourcePolicy']],
];

/** Inputs that implemented operations refuse with an error of AWS, although AWS accepts them, by operation. */
export const REFUSED: typeof STORED = {
  chime: byOperation(CHIME_REFUSED),
  cloudtrail: byOperation(CLOUDTRAIL_REFUSED),
  events: byOperation(EVENTS_REFUSED),
  logs: byOperation(LOGS_REFUSED),
};

function byOperation(rows: Rows): ReadonlyMap<string, StoredInputs> {
  return new Map(rows.flatMap(([reason, inputs, operations]) => operations.map((operation) => [operation, { inputs, reason }] as const)));
}
