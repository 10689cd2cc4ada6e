/** Operation table of IAM, joined from the files of its resources. An unimplemented operation returns NotYetImplementedException. */
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { accessKeyOperations } from './access-keys.ts';
import { accountOperations } from './account.ts';
import { attachmentOperations } from './attachments.ts';
import { authorizationDetailsOperations } from './authorization-details.ts';
import { boundaryOperations } from './boundaries.ts';
import { credentialReportOperations } from './credential-report.ts';
import type { IamDeps } from './deps.ts';
import { emptyListOperations } from './empty-lists.ts';
import { groupOperations } from './groups.ts';
import { inlinePolicyOperations } from './inline-policies.ts';
import { lastAccessedOperations } from './last-accessed.ts';
import { linkedRoleOperations } from './linked-role-operations.ts';
import { loginProfileOperations } from './login-profiles.ts';
import { mfaDeviceOperations } from './mfa-devices.ts';
import { oidcProviderOperations } from './oidc-providers.ts';
import { passwordPolicyOperations } from './password-policy.ts';
import { policyOperations } from './policies.ts';
import { policyVersionOperations } from './policy-versions.ts';
import { roleOperations } from './roles.ts';
import { samlProviderOperations } from './saml-providers.ts';
import { simulationOperations } from './simulation.ts';
import { tagOperations } from './tags.ts';
import { userOperations } from './users.ts';

/** Returns all operations of IAM. */
export function iamOperations(deps: IamDeps): OperationTable<'iam'> {
  return operationTable('iam', {
    ...userOperations,
    ...groupOperations,
    ...roleOperations,
    ...accessKeyOperations(deps),
    ...policyOperations,
    ...policyVersionOperations,
    ...attachmentOperations,
    ...inlinePolicyOperations,
    ...boundaryOperations,
    ...tagOperations,
    ...linkedRoleOperations(deps),
    ...loginProfileOperations,
    ...passwordPolicyOperations,
    ...mfaDeviceOperations(deps),
    ...emptyListOperations,
    ...samlProviderOperations,
    ...credentialReportOperations,
    ...lastAccessedOperations,
    ...simulationOperations(deps),
    ...oidcProviderOperations,
    ...accountOperations,
    ...authorizationDetailsOperations,
  });
}
