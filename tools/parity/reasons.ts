/** Why an operation is not built, for the services that are built as far as they have a meaning here. */
import type { ServiceName } from '#model/model.ts';

type Reasons = readonly (readonly [reason: string, operations: readonly string[]])[];

const INSTANCES = 'there are no instances here that would carry a role';
const CERTIFICATES = 'certificates of AWS load balancers and of requests signed by certificate, which this server takes none of';
const SSH = 'keys of CodeCommit, which is not here';
const CREDENTIALS = 'passwords and keys of CodeCommit, Keyspaces and Bedrock, which are not here';
const DELEGATION = 'lets a product of a partner ask for permissions in the AWS console, which is not here';
const OUTBOUND = 'tokens by which AWS vouches for a caller elsewhere; newer than the guide, and nobody here would take them';
const ROOTS = "central management of members' root users: the operator's commands at the machine do what it is for";
const TRANSFER = 'transfers of who pays: nothing here is billed';
const DELEGATED = 'administration delegated to a member: only the management account administers';

// biome-ignore format: a table
const IAM: Reasons = [
  [INSTANCES, ['AddRoleToInstanceProfile', 'CreateInstanceProfile', 'DeleteInstanceProfile', 'GetInstanceProfile', 'ListInstanceProfileTags', 'RemoveRoleFromInstanceProfile', 'TagInstanceProfile', 'UntagInstanceProfile']],
  [CERTIFICATES, ['DeleteServerCertificate', 'GetServerCertificate', 'ListServerCertificateTags', 'TagServerCertificate', 'UntagServerCertificate', 'UpdateServerCertificate', 'UploadServerCertificate', 'DeleteSigningCertificate', 'UpdateSigningCertificate', 'UploadSigningCertificate']],
  [SSH, ['DeleteSSHPublicKey', 'GetSSHPublicKey', 'UpdateSSHPublicKey', 'UploadSSHPublicKey']],
  [CREDENTIALS, ['CreateServiceSpecificCredential', 'DeleteServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UpdateServiceSpecificCredential']],
  [DELEGATION, ['AcceptDelegationRequest', 'AssociateDelegationRequest', 'CreateDelegationRequest', 'GetDelegationRequest', 'GetHumanReadableSummary', 'ListDelegationRequests', 'RejectDelegationRequest', 'SendDelegationToken', 'UpdateDelegationRequest']],
  [OUTBOUND, ['DisableOutboundWebIdentityFederation', 'EnableOutboundWebIdentityFederation', 'GetOutboundWebIdentityFederationInfo']],
  [ROOTS, ['DisableOrganizationsRootCredentialsManagement', 'DisableOrganizationsRootSessions', 'EnableOrganizationsRootCredentialsManagement', 'EnableOrganizationsRootSessions', 'ListOrganizationsFeatures']],
  ['last accessed by organization: asked for account by account', ['GenerateOrganizationsAccessReport', 'GetOrganizationsAccessReport']],
  ['roles made from templates of AWS; newer than the guide, and there are no templates here', ['AcquireRole', 'GetRoleTemplateVersion']],
  ['settings of an account that are newer than the guide', ['GetAccountProperties', 'PutAccountProperties']],
  ['versions of tokens of the global endpoint: here is one kind of token, good in every region', ['SetSecurityTokenServicePreferences']],
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
  ['of policies that are inherited by merging; service control policies are not merged', ['ListAccountsWithInvalidEffectivePolicy', 'ListEffectivePolicyValidationErrors']],
  ['an organization for billing alone has no use here, where nothing is billed: make it with all features, the default', ['EnableAllFeatures']],
  ['there is one partition here', ['CreateGovCloudAccount']],
];

// biome-ignore format: a table
const MEETINGS: Reasons = [
  ['meetings carry no media that could be transcribed', ['StartMeetingTranscription']],
];

/** Reason by operation, for gaps that have one. For `iam`, `sts` and `organizations` the gaps are meant to stay, and the list is complete. */
export const REASONS: Partial<Record<ServiceName, ReadonlyMap<string, string>>> = {
  iam: byOperation(IAM),
  sts: byOperation(STS),
  organizations: byOperation(ORGANIZATIONS),
  'chime-sdk-meetings': byOperation(MEETINGS),
};

function byOperation(reasons: Reasons): ReadonlyMap<string, string> {
  return new Map(reasons.flatMap(([reason, operations]) => operations.map((operation) => [operation, reason] as const)));
}
