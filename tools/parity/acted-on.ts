import type { ServiceName } from '#model/services.ts';

/** Operations whose inputs all have an effect, by the test that sees it: by another operation, a delivered message, a decision or an ended session. */
export type EffectRows = readonly (readonly [test: string, operations: readonly string[]])[];

// biome-ignore format: a table
const ROWS: Readonly<Partial<Record<ServiceName, EffectRows>>> = {
  chime: [
    ['test/chime/accounts.test.ts', ['BatchUnsuspendUser', 'CreateAccount', 'ResetPersonalPIN', 'UpdateAccount']],
    ['test/chime/people.test.ts', ['BatchSuspendUser', 'InviteUsers', 'LogoutUser']],
    ['test/chime/conversations.test.ts', ['PutRetentionSettings', 'RedactConversationMessage']],
    ['test/chime/chat.test.ts', ['BatchCreateRoomMembership', 'CreateRoom', 'RedactRoomMessage']],
    ['test/chime/rooms.test.ts', ['CreateRoomMembership', 'UpdateRoom', 'UpdateRoomMembership']],
    ['test/chime/bots.test.ts', ['CreateBot', 'PutEventsConfiguration', 'RegenerateSecurityToken', 'UpdateBot']],
    ['test/chime/numbers.test.ts', ['BatchDeletePhoneNumber', 'CreateMeetingDialOut', 'CreatePhoneNumberOrder', 'RestorePhoneNumber']],
    ['src/services/chime/users.test.ts', ['CreateUser']],
    ['test/chime/usage-reports.test.ts', ['UpdateGlobalSettings']],
  ],
  'chime-sdk-identity': [
    ['test/identity/operations.test.ts', [
      'CreateAppInstance', 'CreateAppInstanceBot', 'CreateAppInstanceUser', 'UpdateAppInstance', 'UpdateAppInstanceBot',
      'UpdateAppInstanceUser',
    ]],
    ['src/services/chime-sdk-identity/admins.test.ts', ['CreateAppInstanceAdmin']],
    ['src/services/chime-sdk-identity/app-instances.test.ts', ['PutAppInstanceRetentionSettings']],
    ['src/services/chime-sdk-identity/users.test.ts', ['PutAppInstanceUserExpirationSettings']],
    ['src/services/chime-sdk-identity/endpoints.test.ts', ['RegisterAppInstanceUserEndpoint', 'UpdateAppInstanceUserEndpoint']],
  ],
  'chime-sdk-meetings': [
    ['src/services/chime-sdk-meetings/transcription.test.ts', ['StopMeetingTranscription']],
  ],
  'chime-sdk-voice': [
    ['src/services/chime-sdk-voice/phone-numbers.test.ts', ['BatchDeletePhoneNumber', 'RestorePhoneNumber']],
    ['test/voice/sip-decisions.test.ts', [
      'AssociatePhoneNumbersWithVoiceConnector', 'AssociatePhoneNumbersWithVoiceConnectorGroup', 'CreateVoiceConnectorGroup',
      'DisassociatePhoneNumbersFromVoiceConnector', 'DisassociatePhoneNumbersFromVoiceConnectorGroup', 'PutVoiceConnectorOrigination',
      'PutVoiceConnectorTermination', 'PutVoiceConnectorTerminationCredentials', 'UpdateGlobalSettings', 'UpdateVoiceConnector',
      'UpdateVoiceConnectorGroup',
    ]],
  ],
  'chime-sdk-messaging': [
    ['test/messaging/messages.test.ts', [
      'CreateChannelFlow', 'DisassociateChannelFlow', 'PutChannelExpirationSettings', 'RedactChannelMessage',
      'UpdateChannel', 'UpdateChannelFlow', 'UpdateChannelMessage',
    ]],
    ['test/messaging/hidden-members.test.ts', ['BatchCreateChannelMembership', 'CreateChannelBan']],
    ['test/messaging/roles.test.ts', ['CreateChannel', 'CreateChannelMembership', 'CreateChannelModerator', 'SendChannelMessage']],
    ['test/messaging/processors.test.ts', ['AssociateChannelFlow', 'ChannelFlowCallback']],
    ['test/messaging/streaming.test.ts', ['PutMessagingStreamingConfigurations']],
    ['src/services/chime-sdk-messaging/filter-rules.test.ts', ['PutChannelMembershipPreferences']],
    ['test/messaging-sessions/prefetch.test.ts', ['UpdateChannelReadMarker']],
  ],
  iam: [
    ['test/iam/identities.test.ts', [
      'AttachGroupPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateAccessKey', 'CreateAccountAlias', 'CreateGroup',
      'CreatePolicy', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DetachGroupPolicy', 'UpdateAssumeRolePolicy',
      'UpdateGroup', 'UpdateUser',
    ]],
    ['test/guide/withdrawal.test.ts', [
      'DetachRolePolicy', 'DetachUserPolicy', 'PutGroupPolicy', 'RemoveUserFromGroup', 'SetDefaultPolicyVersion',
      'UpdateAccessKey',
    ]],
    ['test/guide/evaluation.test.ts', [
      'AddUserToGroup', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy',
    ]],
    ['test/iam/providers.test.ts', [
      'AddClientIDToOpenIDConnectProvider', 'CreateOpenIDConnectProvider', 'CreateSAMLProvider',
      'RemoveClientIDFromOpenIDConnectProvider', 'UpdateOpenIDConnectProviderThumbprint', 'UpdateSAMLProvider',
    ]],
    ['test/iam/sign-in.test.ts', [
      'ChangePassword', 'CreateLoginProfile', 'CreateVirtualMFADevice', 'DeactivateMFADevice', 'EnableMFADevice',
      'ResyncMFADevice', 'UpdateAccountPasswordPolicy', 'UpdateLoginProfile',
    ]],
    ['test/iam/service-linked-roles.test.ts', ['CreateServiceLinkedRole', 'UpdateRoleDescription']],
    ['test/sign-in/federation.test.ts', ['UpdateRole']],
    ['test/iam/reports.test.ts', ['GenerateCredentialReport', 'GenerateServiceLastAccessedDetails']],
  ],
  sts: [
    ['test/sts/sts.test.ts', ['AssumeRole']],
    ['test/sts/saml.test.ts', ['AssumeRoleWithSAML']],
    ['test/sts/web-identity.test.ts', ['AssumeRoleWithWebIdentity']],
  ],
  cloudtrail: [
    ['test/cloudtrail/trails.test.ts', ['PutEventSelectors', 'StartLogging', 'StopLogging']],
    ['src/services/cloudtrail/organization.test.ts', ['RegisterOrganizationDelegatedAdmin']],
  ],
  events: [
    ['src/services/events/archives.test.ts', ['CancelReplay', 'CreateArchive', 'StartReplay', 'UpdateArchive']],
    ['src/services/events/connections.test.ts', [
      'CreateApiDestination', 'CreateConnection', 'DeauthorizeConnection', 'UpdateApiDestination', 'UpdateConnection',
    ]],
    ['src/services/events/rules.test.ts', ['DisableRule', 'EnableRule', 'PutRule', 'RemoveTargets']],
    ['test/outgoing/events.test.ts', ['PutPermission', 'PutTargets']],
    ['test/events/policies.test.ts', ['RemovePermission']],
  ],
  cloudwatch: [
    ['test/cloudwatch/alarms.test.ts', ['DisableAlarmActions', 'PutCompositeAlarm', 'PutMetricAlarm', 'SetAlarmState']],
    ['src/services/cloudwatch/alarms/operations.test.ts', ['EnableAlarmActions']],
  ],
  logs: [
    ['test/logs/logs.test.ts', ['CreateLogGroup', 'CreateLogStream', 'PutMetricFilter', 'PutSubscriptionFilter']],
    ['src/services/logs/groups.test.ts', ['PutLogGroupDeletionProtection']],
    ['src/services/logs/service-writer.test.ts', ['PutResourcePolicy']],
    ['src/services/logs/events.test.ts', ['PutRetentionPolicy']],
  ],
  accessanalyzer: [
    ['test/access-analyzer/clients.test.ts', [
      'ApplyArchiveRule', 'CreateAnalyzer', 'CreateArchiveRule', 'StartResourceScan', 'UpdateAnalyzer', 'UpdateArchiveRule', 'UpdateFindings',
    ]],
    ['test/access-analyzer/previews.test.ts', ['CreateAccessPreview']],
    ['test/access-analyzer/recommendations.test.ts', ['GenerateFindingRecommendation']],
    ['test/access-analyzer/policy-generation.test.ts', ['CancelPolicyGeneration', 'StartPolicyGeneration']],
  ],
  organizations: [
    ['test/organizations/operations.test.ts', [
      'AcceptHandshake', 'CancelHandshake', 'CreateAccount', 'CreateOrganization', 'CreatePolicy', 'DeclineHandshake',
      'DisablePolicyType', 'EnablePolicyType', 'InviteAccountToOrganization', 'UpdateOrganizationalUnit',
    ]],
    ['test/organizations/service-control.test.ts', [
      'AttachPolicy', 'CloseAccount', 'CreateOrganizationalUnit', 'DetachPolicy', 'LeaveOrganization', 'MoveAccount',
      'RemoveAccountFromOrganization', 'UpdatePolicy',
    ]],
  ],
  s3: [
    ['src/services/s3/operations.test.ts', [
      'AbortMultipartUpload', 'CompleteMultipartUpload', 'CreateBucket', 'CreateMultipartUpload',
      'PutBucketLifecycleConfiguration', 'PutObject', 'UploadPart',
    ]],
    ['test/iam/bucket-policies.test.ts', ['PutBucketPolicy']],
  ],
};

/** Operations that change a setting and whose inputs all have an effect, with the test that sees it, by service. */
export const ACTED_ON: Readonly<Partial<Record<ServiceName, ReadonlyMap<string, string>>>> = Object.fromEntries(
  Object.entries(ROWS).map(([service, rows]) => [
    service,
    new Map(rows.flatMap(([test, operations]) => operations.map((operation) => [operation, test] as const))),
  ]),
);

/** Operations that this project adds to Amazon Chime, that change a setting and whose inputs all have an effect. */
export const OWN_ACTED_ON: readonly string[] = [
  ...([
    'ActivateUsers',
    'AcceptDelegate',
    'AddDomain',
    'AddOrUpdateGroups',
    'AuthorizeDirectory',
    'ConnectDirectory',
    'CreateApiKey',
    'CreateCDRBucket',
    'DisconnectDirectory',
    'InviteDelegate',
    'RenameAccount',
    'RenewDelegate',
    'ResetAccountResource',
    'StartDataExport',
    'SubmitSupportRequest',
    'SuspendUsers',
    'UnauthorizeDirectory',
  ] as const),
  ...([
    'UpdateAccountOpenIdConfig',
    'UpdateAccountResource',
    'UpdateCDRSettings',
    'UpdateSupportedLicenses',
    'UpdateUserLicenses',
  ] as const),
];

/** Reports whether an operation changes a setting. Reads, tests, deletions and tags have no state in `docs/parity.md`. */
export function changesSetting(operation: string): boolean {
  return !/^(?:Get|List|Describe|Retrieve|Search|Lookup|Filter|Head|Decode|Explain|Test|Simulate|Check|Validate|Delete|Deregister|Tag|Untag|(?:Add|Remove)Tags$)/.test(
    operation,
  );
}
