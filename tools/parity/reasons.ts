/** Reasons why operations are not implemented, for services in which the remaining operations are intentionally missing. */
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

/**
 * Reasons by operation. For `iam`, `sts` and `organizations`, the list is complete: their remaining operations are intentionally missing.
 * Other services have reasons for some operations.
 */
export const REASONS: Partial<Record<ServiceName, ReadonlyMap<string, string>>> = {
  iam: byOperation(IAM),
  sts: byOperation(STS),
  organizations: byOperation(ORGANIZATIONS),
  'chime-sdk-meetings': byOperation(MEETINGS),
};

function byOperation(reasons: Reasons): ReadonlyMap<string, string> {
  return new Map(reasons.flatMap(([reason, operations]) => operations.map((operation) => [operation, reason] as const)));
}
