/** Reasons why operations are intentionally not implemented. */
import type { ServiceName } from '#model/services.ts';

type Reasons = readonly (readonly [reason: string, operations: readonly string[]])[];

const INSTANCES = 'there are no EC2 instances that use a role';
const CERTIFICATES = 'certificates for AWS load balancers and for requests signed with certificates, which this server does not support';
const SSH = 'keys for CodeCommit, which this server does not include';
const CREDENTIALS = 'passwords and keys for CodeCommit, Keyspaces and Bedrock, which this server does not include';
const DELEGATION = 'permission requests of partner products in the AWS console, which this server does not include';
const OUTBOUND = 'tokens that identify an AWS caller to external services; newer than the guide, and unused with this server';
const ROOTS = "central management of members' root users: the operator uses the commands on the server's machine instead";
const TRANSFER = 'transfers of billing responsibility: this server does not bill';
const DELEGATED = 'administration by a member account: only the management account administers the organization';

// biome-ignore format: a table
const IAM: Reasons = [
  [INSTANCES, ['AddRoleToInstanceProfile', 'CreateInstanceProfile', 'DeleteInstanceProfile', 'RemoveRoleFromInstanceProfile', 'TagInstanceProfile', 'UntagInstanceProfile']],
  [CERTIFICATES, ['DeleteServerCertificate', 'TagServerCertificate', 'UntagServerCertificate', 'UpdateServerCertificate', 'UploadServerCertificate', 'DeleteSigningCertificate', 'UpdateSigningCertificate', 'UploadSigningCertificate']],
  [SSH, ['DeleteSSHPublicKey', 'UpdateSSHPublicKey', 'UploadSSHPublicKey']],
  [CREDENTIALS, ['CreateServiceSpecificCredential', 'DeleteServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UpdateServiceSpecificCredential']],
  [DELEGATION, ['AcceptDelegationRequest', 'AssociateDelegationRequest', 'CreateDelegationRequest', 'GetDelegationRequest', 'GetHumanReadableSummary', 'ListDelegationRequests', 'RejectDelegationRequest', 'SendDelegationToken', 'UpdateDelegationRequest']],
  [OUTBOUND, ['DisableOutboundWebIdentityFederation', 'EnableOutboundWebIdentityFederation', 'GetOutboundWebIdentityFederationInfo']],
  [ROOTS, ['DisableOrganizationsRootCredentialsManagement', 'DisableOrganizationsRootSessions', 'EnableOrganizationsRootCredentialsManagement', 'EnableOrganizationsRootSessions', 'ListOrganizationsFeatures']],
  ['last accessed information of an organization: available only for each account', ['GenerateOrganizationsAccessReport', 'GetOrganizationsAccessReport']],
  ['roles from AWS templates: newer than the guide, and there are no templates', ['AcquireRole', 'GetRoleTemplateVersion']],
  ['account settings that are newer than the guide', ['GetAccountProperties', 'PutAccountProperties']],
  ['token versions of the global endpoint: this server has one kind of token, which is valid in every region', ['SetSecurityTokenServicePreferences']],
];

// biome-ignore format: a table
const STS: Reasons = [
  [ROOTS, ['AssumeRoot']],
  [DELEGATION, ['GetDelegatedAccessToken']],
  [OUTBOUND, ['GetWebIdentityToken']],
];

// biome-ignore format: a table
const ORGANIZATIONS: Reasons = [
  [DELEGATED, ['DeleteResourcePolicy', 'DeregisterDelegatedAdministrator', 'DescribeResourcePolicy', 'ListDelegatedServicesForAccount', 'PutResourcePolicy', 'RegisterDelegatedAdministrator']],
  [TRANSFER, ['DescribeResponsibilityTransfer', 'InviteOrganizationToTransferResponsibility', 'ListInboundResponsibilityTransfers', 'ListOutboundResponsibilityTransfers', 'TerminateResponsibilityTransfer', 'UpdateResponsibilityTransfer']],
  ['only for policies that are merged along the hierarchy: service control policies are not merged', ['ListAccountsWithInvalidEffectivePolicy', 'ListEffectivePolicyValidationErrors']],
  ['consolidated billing has no use on this server: create the organization with all features, the default', ['EnableAllFeatures']],
  ['this server has only one partition', ['CreateGovCloudAccount']],
];

// biome-ignore format: a table
const MEETINGS: Reasons = [
  ['meetings carry no media that could be transcribed', ['StartMeetingTranscription']],
];

// biome-ignore format: a table
const PIPELINES: Reasons = [
  ['meetings and calls carry no media that a pipeline could process', [
    'CreateMediaCapturePipeline', 'CreateMediaConcatenationPipeline', 'CreateMediaInsightsPipeline', 'CreateMediaLiveConnectorPipeline', 'CreateMediaStreamPipeline',
  ]],
  ['no media pipeline can exist', ['DeleteMediaCapturePipeline', 'DeleteMediaPipeline', 'GetMediaCapturePipeline', 'GetMediaPipeline', 'UpdateMediaInsightsPipelineStatus']],
  ['no media pipeline can exist, so no voice is analyzed', [
    'GetSpeakerSearchTask', 'GetVoiceToneAnalysisTask', 'StartSpeakerSearchTask', 'StartVoiceToneAnalysisTask', 'StopSpeakerSearchTask', 'StopVoiceToneAnalysisTask',
  ]],
];

// biome-ignore format: a table
const VOICE: Reasons = [
  ['AWS ended support for proxy sessions on April 7, 2026', ['CreateProxySession', 'DeleteProxySession', 'DeleteVoiceConnectorProxy', 'GetProxySession', 'GetVoiceConnectorProxy', 'ListProxySessions', 'PutVoiceConnectorProxy', 'UpdateProxySession']],
  ['Amazon Alexa no longer offers these skills', ['GetSipMediaApplicationAlexaSkillConfiguration', 'PutSipMediaApplicationAlexaSkillConfiguration']],
  ['only a carrier has the data to validate addresses for emergency calls', ['ValidateE911Address']],
  ['calls of SIP media applications need media, which this server does not carry', ['CreateSipMediaApplicationCall', 'UpdateSipMediaApplicationCall']],
  ['voices in calls cannot be analyzed, because calls carry no audio through this server', [
    'GetSpeakerSearchTask', 'GetVoiceToneAnalysisTask', 'StartSpeakerSearchTask', 'StartVoiceToneAnalysisTask', 'StopSpeakerSearchTask', 'StopVoiceToneAnalysisTask',
  ]],
  ['a voice profile is the result of a speaker search, and none can run', ['CreateVoiceProfile', 'DeleteVoiceProfile', 'GetVoiceProfile', 'UpdateVoiceProfile']],
];

// biome-ignore format: a table
const CLOUDTRAIL: Reasons = [
  ['event data stores: the event history and trails have the records', ['CreateEventDataStore', 'DeleteEventDataStore', 'GetEventDataStore', 'ListEventDataStores', 'RestoreEventDataStore', 'StartEventDataStoreIngestion', 'StopEventDataStoreIngestion', 'UpdateEventDataStore']],
  ['queries in SQL, which need an event data store', ['CancelQuery', 'DescribeQuery', 'GetQueryResults', 'ListQueries', 'StartQuery']],
  ['policies of event data stores, channels and dashboards, which this server does not have', ['DeleteResourcePolicy', 'GetResourcePolicy', 'PutResourcePolicy']],
  ['channels receive events of partners, which this server does not have', ['CreateChannel', 'DeleteChannel', 'GetChannel', 'ListChannels', 'UpdateChannel']],
  ['dashboards of event data stores, which this server does not have', ['CreateDashboard', 'DeleteDashboard', 'GetDashboard', 'ListDashboards', 'StartDashboardRefresh', 'UpdateDashboard']],
  ['imports into event data stores, which this server does not have', ['GetImport', 'ListImportFailures', 'ListImports', 'StartImport', 'StopImport']],
  ['federation with Athena, which this server does not include', ['DisableFederation', 'EnableFederation']],
  ['queries from prompts, which need a language model', ['GenerateQuery', 'SearchSampleQueries']],
  ['no part of this server searches for unusual activity', ['ListInsightsData', 'ListInsightsMetricData']],
];

// biome-ignore format: a table
const EVENTS: Reasons = [
  ['event sources of partners, which this server does not have', [
    'ActivateEventSource', 'CreatePartnerEventSource', 'DeactivateEventSource', 'DeletePartnerEventSource', 'DescribeEventSource', 'DescribePartnerEventSource', 'ListEventSources',
    'ListPartnerEventSourceAccounts', 'ListPartnerEventSources', 'PutPartnerEvents',
  ]],
  ['global endpoints, which switch to another region if health checks of Route 53 fail', ['CreateEndpoint', 'DeleteEndpoint', 'DescribeEndpoint', 'ListEndpoints', 'UpdateEndpoint']],
];

// biome-ignore format: a table
const LOGS: Reasons = [
  ['queries of Logs Insights, which this server does not include: use FilterLogEvents', ['CreateLookupTable', 'CreateScheduledQuery', 'DeleteIndexPolicy', 'DeleteLookupTable', 'DeleteQueryDefinition', 'DeleteScheduledQuery', 'DescribeFieldIndexes', 'DescribeIndexPolicies', 'DescribeLookupTables', 'DescribeQueries', 'DescribeQueryDefinitions', 'GetLogFields', 'GetLogGroupFields', 'GetLogRecord', 'GetLookupTable', 'GetQueryResults', 'GetScheduledQuery', 'GetScheduledQueryHistory', 'ListLogGroupsForQuery', 'ListScheduledQueries', 'PutIndexPolicy', 'PutQueryDefinition', 'StartQuery', 'StopQuery', 'UpdateLookupTable', 'UpdateScheduledQuery']],
  ['streams of events over a connection: `aws logs tail --follow` reads new events with FilterLogEvents', ['GetLogObject', 'StartLiveTail']],
  ['logical destinations give other accounts access to a stream. Subscription filters reach functions and streams of their own account', ['DeleteDestination', 'DescribeDestinations', 'PutDestination', 'PutDestinationPolicy']],
  ['deliveries of the logs of other AWS services, which this server does not include', ['CreateDelivery', 'DeleteDelivery', 'DeleteDeliveryDestination', 'DeleteDeliveryDestinationPolicy', 'DeleteDeliverySource', 'DescribeConfigurationTemplates', 'DescribeDeliveries', 'DescribeDeliveryDestinations', 'DescribeDeliverySources', 'GetDelivery', 'GetDeliveryDestination', 'GetDeliveryDestinationPolicy', 'GetDeliverySource', 'PutDeliveryDestination', 'PutDeliveryDestinationPolicy', 'PutDeliverySource', 'UpdateDeliveryConfiguration']],
  ['transformers change events before they are stored, which this server does not do', ['DeleteTransformer', 'GetTransformer', 'PutTransformer', 'TestTransformer']],
  ['no part of this server searches for unusual events', ['CreateLogAnomalyDetector', 'DeleteLogAnomalyDetector', 'GetLogAnomalyDetector', 'ListAnomalies', 'ListLogAnomalyDetectors', 'UpdateAnomaly', 'UpdateLogAnomalyDetector']],
  ['exports and imports: read a group with FilterLogEvents', ['CancelExportTask', 'CancelImportTask', 'CreateExportTask', 'CreateImportTask', 'DescribeExportTasks', 'DescribeImportTaskBatches', 'DescribeImportTasks']],
  ['there is no KMS', ['AssociateKmsKey', 'DisassociateKmsKey']],
  ['there is no OpenSearch Service and no S3 Tables', ['AssociateSourceToS3TableIntegration', 'DeleteIntegration', 'DisassociateSourceFromS3TableIntegration', 'GetIntegration', 'ListIntegrations', 'ListSourcesForS3TableIntegration', 'PutIntegration']],
  ['data protection and other policies of the account, which change stored events', ['DeleteAccountPolicy', 'DeleteDataProtectionPolicy', 'DescribeAccountPolicies', 'GetDataProtectionPolicy', 'PutAccountPolicy', 'PutDataProtectionPolicy']],
  ['signatures authenticate requests: there are no bearer tokens', ['PutBearerTokenAuthentication']],
  ['newer than the guide: use DescribeLogGroups', ['ListAggregateLogGroupSummaries', 'ListLogGroups']],
];

const INSIGHT_RULES = 'rules that rank contributors in log groups: this server does not analyze logs';
const STREAMS = 'streams of metrics to Kinesis Data Firehose, which this server does not include';
const ANOMALIES = 'models of the usual values of a metric, which need machine learning';
const ENRICHMENT = 'metrics of OpenTelemetry and PromQL, which this server does not store';

// biome-ignore format: a table
const CLOUDWATCH: Reasons = [
  [INSIGHT_RULES, ['DeleteInsightRules', 'DescribeInsightRules', 'DisableInsightRules', 'EnableInsightRules', 'GetInsightRuleReport', 'ListManagedInsightRules', 'PutInsightRule', 'PutManagedInsightRules']],
  [STREAMS, ['DeleteMetricStream', 'GetMetricStream', 'ListMetricStreams', 'PutMetricStream', 'StartMetricStreams', 'StopMetricStreams']],
  [ANOMALIES, ['DeleteAnomalyDetector', 'DescribeAnomalyDetectors', 'PutAnomalyDetector']],
  [ENRICHMENT, ['GetOTelEnrichment', 'StartOTelEnrichment', 'StopOTelEnrichment']],
  ['images of graphs, which this server does not draw', ['GetMetricWidgetImage']],
  ['datasets of metrics with a key of KMS, which this server does not include', ['AssociateDatasetKmsKey', 'DisassociateDatasetKmsKey', 'GetDataset']],
  ['metrics of resources of EC2 and other services, which this server does not include', ['CreateResourceMetricsConfiguration', 'DeleteResourceMetricsConfiguration', 'GetResourceMetricsConfiguration']],
  ['schedules that mute the actions of alarms', ['DeleteAlarmMuteRule', 'GetAlarmMuteRule', 'ListAlarmMuteRules', 'PutAlarmMuteRule']],
  ['alarms on queries of logs, which this server does not include', ['PutLogAlarm']],
  ['contributors of alarms on queries of Metrics Insights, which this server does not include', ['DescribeAlarmContributors']],
];

const CONNECT = 'instances of Amazon Connect, which this server does not include';

// biome-ignore format: a table
const CHIME: Reasons = [
  [CONNECT, ['AssociateVoiceConnectorConnect', 'CreateConnectAnalyticsConnector', 'CreateConnectCallTransferConnector', 'DisassociateVoiceConnectorConnect']],
  ['invitations of people from a Slack workspace, to which this server does not connect', ['InviteUsersFromProvider']],
];

// biome-ignore format: a table
const ACCESS_ANALYZER: Reasons = [
  ['only services call it for an account, and no service of this server uses an analyzer', ['CreateServiceLinkedAnalyzer', 'DeleteServiceLinkedAnalyzer']],
];

/**
 * Reasons by operation. The lists of `iam`, `sts`, `organizations`, `chime`, `cloudtrail`, `logs`, `chime-sdk-voice` and `chime-sdk-media-pipelines`
 * are complete: every operation that is not implemented has a reason. For other services, only some operations have a reason.
 */
export const REASONS: Partial<Record<ServiceName, ReadonlyMap<string, string>>> = {
  chime: byOperation(CHIME),
  iam: byOperation(IAM),
  sts: byOperation(STS),
  organizations: byOperation(ORGANIZATIONS),
  cloudtrail: byOperation(CLOUDTRAIL),
  logs: byOperation(LOGS),
  cloudwatch: byOperation(CLOUDWATCH),
  'chime-sdk-meetings': byOperation(MEETINGS),
  'chime-sdk-media-pipelines': byOperation(PIPELINES),
  'chime-sdk-voice': byOperation(VOICE),
  events: byOperation(EVENTS),
  accessanalyzer: byOperation(ACCESS_ANALYZER),
};

function byOperation(reasons: Reasons): ReadonlyMap<string, string> {
  return new Map(reasons.flatMap(([reason, operations]) => operations.map((operation) => [operation, reason] as const)));
}
