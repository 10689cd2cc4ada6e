/** Inputs of implemented operations that the server stores and returns without another effect, with the reasons. */
import type { ServiceName } from '#model/services.ts';

/** Stored inputs of one operation, as paths in the model, or `*` for everything that the operation sets. */
export interface StoredInputs {
  readonly inputs: readonly string[];
  readonly reason: string;
}

type Rows = readonly (readonly [reason: string, inputs: readonly string[], operations: readonly string[]])[];

const ALL = ['*'];
const MEDIA = 'meetings carry no media';
const CALLS = 'there is no SIP server for calls';
const PUSH = 'there is no Amazon Pinpoint that sends push notifications';
const LEX = 'there is no Amazon Lex that responds for the bot';

// biome-ignore format: a table
const MEETINGS: Rows = [
  [`${MEDIA}; no notifications are sent`, ['NotificationsConfiguration', 'MediaRegion', 'MediaPlacementNetworkType', 'PrimaryMeetingId', 'MeetingFeatures.Audio', 'MeetingFeatures.Video', 'MeetingFeatures.Content'], ['CreateMeeting', 'CreateMeetingWithAttendees']],
  [MEDIA, ['Capabilities'], ['CreateAttendee', 'UpdateAttendeeCapabilities', 'BatchUpdateAttendeeCapabilitiesExcept']],
  [MEDIA, ['Attendees.Capabilities'], ['BatchCreateAttendee']],
];

// biome-ignore format: a table
const IDENTITY: Rows = [
  [PUSH, ALL, ['RegisterAppInstanceUserEndpoint', 'UpdateAppInstanceUserEndpoint']],
  [LEX, ['Configuration'], ['CreateAppInstanceBot', 'UpdateAppInstanceBot']],
];

// biome-ignore format: a table
const MESSAGING: Rows = [
  ['there is no Kinesis stream that receives messages', ALL, ['PutMessagingStreamingConfigurations']],
  ['no function is invoked; `FallbackAction` decides about each message', ['Processors.Configuration'], ['CreateChannelFlow', 'UpdateChannelFlow']],
  [PUSH, ['Preferences.PushNotifications'], ['PutChannelMembershipPreferences']],
  [PUSH, ['PushNotification'], ['SendChannelMessage']],
];

// biome-ignore format: a table
const PIPELINES: Rows = [
  ['no pipeline runs with it', ALL, ['CreateMediaInsightsPipelineConfiguration', 'UpdateMediaInsightsPipelineConfiguration']],
];

// biome-ignore format: a table
const VOICE: Rows = [
  [CALLS, ALL, [
    'CreateVoiceConnector', 'UpdateVoiceConnector', 'CreateVoiceConnectorGroup', 'UpdateVoiceConnectorGroup',
    'PutVoiceConnectorOrigination', 'PutVoiceConnectorTermination', 'PutVoiceConnectorTerminationCredentials',
    'PutVoiceConnectorEmergencyCallingConfiguration', 'PutVoiceConnectorExternalSystemsConfiguration',
    'CreateSipMediaApplication', 'UpdateSipMediaApplication', 'CreateSipRule', 'UpdateSipRule',
    'PutSipMediaApplicationAlexaSkillConfiguration', 'UpdatePhoneNumberSettings',
  ]],
  ['there are no calls whose media could be streamed', ALL, ['PutVoiceConnectorStreamingConfiguration']],
  ['there are no calls that could be logged', ALL, ['PutVoiceConnectorLoggingConfiguration', 'PutSipMediaApplicationLoggingConfiguration']],
  ['there are no call detail records', ALL, ['UpdateGlobalSettings']],
];

// biome-ignore format: a table
const ORGANIZATIONS: Rows = [
  ['no service of this server acts in the accounts of an organization', ALL, ['EnableAWSServiceAccess', 'DisableAWSServiceAccess']],
];

/** Stored inputs by operation, for the services that have any. */
export const STORED: Readonly<Partial<Record<ServiceName, ReadonlyMap<string, StoredInputs>>>> = {
  'chime-sdk-meetings': byOperation(MEETINGS),
  'chime-sdk-identity': byOperation(IDENTITY),
  'chime-sdk-messaging': byOperation(MESSAGING),
  'chime-sdk-media-pipelines': byOperation(PIPELINES),
  'chime-sdk-voice': byOperation(VOICE),
  organizations: byOperation(ORGANIZATIONS),
};

function byOperation(rows: Rows): ReadonlyMap<string, StoredInputs> {
  return new Map(rows.flatMap(([reason, inputs, operations]) => operations.map((operation) => [operation, { inputs, reason }] as const)));
}
