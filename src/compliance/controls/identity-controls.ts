/** Controls about identity and authorization: sections 2 to 9 of the security requirements. */
import { accountAdministrator, type Control, operator, project } from './control.ts';

// biome-ignore format: a table
export const IDENTITY_CONTROLS: readonly Control[] = [
  // Section 2: identity and access management.
  project('2-signatures', 'Each request is signed with a valid key of a user or session, and an altered request is refused.', 'src/access/authenticate.ts', 'test/server/authentication.test.ts'),
  project('2-no-root-keys', 'A new account has a root user without access keys, and one administrator.', 'src/server/core/first-start.ts', 'test/server/operator.test.ts'),
  project('2-names', 'Names, paths and quotas of IAM have the limits of AWS.', 'src/services/iam/quotas.ts', 'test/iam/limits.test.ts'),
  project('2-passwords', 'Passwords are stored as slow hashes, and repeated failures delay further attempts.', 'src/services/iam/password-hash.ts', 'test/sign-in/limits.test.ts'),
  project('2-mfa', 'Each code of an MFA device is accepted once.', 'src/services/iam/mfa.ts', 'test/iam/sign-in.test.ts'),
  project('2-sealed-secrets', 'Secrets in the database are encrypted with the operator key.', 'src/access/vault.ts', 'test/server/canary.test.ts'),
  project('2-federation', 'Assertions and tokens of identity providers are verified before a role session exists.', 'src/access/saml-response.ts', 'test/sts/saml.test.ts'),
  project('2-session-lifetimes', 'Sessions end at their expiration, within the limits of AWS.', 'src/access/session-token.ts', 'test/sts/lifetimes.test.ts'),
  operator('2-operator-key', 'The operator key is stored apart from the backups of the database, and replaced after a leak.', 'belfry operator-key rotate; a copy of data/operator.key in another place'),
  operator('2-machine-access', 'Only the people that operate the server can use its system user.', 'accounts and permissions of the host'),
  accountAdministrator('2-mfa-users', 'Users with a password have an MFA device.', 'CreateVirtualMFADevice, EnableMFADevice; rule mfa-enabled-for-iam-console-access'),
  accountAdministrator('2-key-rotation', 'Access keys are replaced regularly, and unused ones are deleted.', 'UpdateAccessKey, DeleteAccessKey; rule access-keys-rotated'),
  accountAdministrator('2-password-policy', 'The account has a password policy that its rules require.', 'UpdateAccountPasswordPolicy; rule iam-password-policy'),
  accountAdministrator('2-leavers', 'Users that left have no credentials.', 'DeleteUser, DeleteLoginProfile; the section about credentials of the compliance report'),

  // Section 3: evaluation of policies.
  project('3-deny-by-default', 'A request that no policy allows is denied, and a Deny statement overrides every Allow.', 'src/policy/engine.ts', 'test/guide/evaluation.test.ts'),
  project('3-fail-closed', 'A request whose policies cannot be evaluated is not allowed.', 'src/access/service-control.ts', 'test/organizations/exemptions.test.ts'),
  project('3-bounded-decisions', 'A decision has a limit of steps that no legal policy reaches.', 'src/policy/decision-steps.ts', 'test/hostile/legal-policies.test.ts'),
  project('3-denied-above-limit', 'A decision that exceeds its limit of steps is a denial.', 'src/access/authorize.ts', 'src/access/authorize.test.ts'),
  project('3-withdrawals', 'A withdrawn permission is not honored after the call that withdrew it has returned, on any server.', 'src/access/lease.ts', 'test/leases/withdrawal.test.ts'),
  project('3-authorized-type', 'No operation runs without an authorization, and it receives the values that were authorized.', 'src/access/authorize.ts', 'test/hostile/arn-variants.test.ts'),
  project('3-trusted-proxies', 'Only configured proxies can state the address and the TLS version of a client.', 'BELFRY_TRUSTED_PROXIES', 'test/server/proxies.test.ts'),
  accountAdministrator('3-least-privilege', 'Policies grant only the actions, resources and conditions that are needed.', 'belfry policy suggest, ExplainDecision; rule iam-policy-no-statements-with-admin-access'),
  accountAdministrator('3-boundaries', 'Administrators that create users or roles are limited by permissions boundaries or service control policies.', 'PutUserPermissionsBoundary, PutRolePermissionsBoundary, AttachPolicy'),

  // Section 4: resource-based policies.
  project('4-no-cross-account', 'No resource of Amazon Chime has a policy of its own, so no other account can reach it directly.', 'src/access/resource-owner.ts', 'test/guide/examples.test.ts'),
  project('4-bucket-policies', 'A request for a bucket is decided by the policy of the bucket and by the policies of the caller.', 'src/access/resource-policy-authorization.ts', 'src/access/resource-policy-authorization.test.ts'),
  accountAdministrator('4-external-access', 'Buckets and roles that other accounts can use are known and intended.', 'CreateAnalyzer, ListFindingsV2'),

  // Section 5: authorization based on tags.
  project('5-canonical-tags', 'Tags whose keys differ only in case are refused, so a condition on a tag cannot be avoided.', 'src/core/tag-keys.ts', 'test/server/tag-keys.test.ts'),
  project('5-tag-context', 'Requests of the classic endpoint have no tags in their context, as the guide says.', 'src/access/request-context.ts', 'test/voice/authorization.test.ts'),
  accountAdministrator('5-tagging-permissions', 'Only trusted principals can change tags that policies test.', 'policies with aws:TagKeys and aws:RequestTag'),

  // Section 6: roles.
  project('6-trust-policies', 'A role is assumed only if its trust policy and the policies of the caller allow it.', 'src/access/trust-authorization.ts', 'test/sts/sts.test.ts'),
  project('6-pass-role', 'An operation that takes a role requires iam:PassRole for it.', 'src/services/iam/pass-role.ts', 'src/services/iam/pass-role.test.ts'),
  project('6-other-accounts', 'The response for a role of another account does not show whether the role exists.', 'src/access/authorize.ts', 'test/sts/other-accounts.test.ts'),
  accountAdministrator('6-trust-review', 'Trust policies name only principals that need the role, with an external ID for third parties.', 'UpdateAssumeRolePolicy; the file access.jsonl of the compliance report'),

  // Section 7: managed policies.
  project('7-managed-policies', 'The managed policies of AWS for Amazon Chime are present, and no caller can change them.', 'src/model/managed-policies.ts', 'test/guide/principals.test.ts'),
  project('7-validation', 'Policies are validated with the checks of IAM Access Analyzer.', 'src/policy/validate/validate.ts', 'test/policy-validation/validate.test.ts'),
  accountAdministrator('7-validate-before-use', 'New policies are validated and tested before they are attached.', 'ValidatePolicy, belfry policy test, belfry policy replay'),

  // Section 8: troubleshooting.
  project('8-denial-reasons', 'A denial names its reason to the caller, without facts of other accounts.', 'src/policy/denial.ts', 'test/sts/other-accounts.test.ts'),
  project('8-explain', 'Each recorded decision can be explained with the policies as they were.', 'src/access/past/explained-decision.ts', 'test/replay/explain.test.ts'),
  project('8-authorization-first', 'Authorization precedes the check of existence, so denied callers do not learn which resources exist.', 'src/server/core/call.ts', 'test/sdk/meetings.test.ts'),
  accountAdministrator('8-explain-permission', 'The permission access-analyzer:ExplainDecision is granted to few, because it shows policies and past requests.', 'policies with access-analyzer:ExplainDecision'),

  // Section 9: service-linked roles.
  project('9-linked-roles', 'Only its service can use a service-linked role, and no caller can change its policies.', 'src/services/iam/service-linked-roles.ts', 'test/iam/service-linked-roles.test.ts'),
  project('9-deletion', 'A service-linked role is deleted only if no resource uses it.', 'src/services/iam/linked-role-operations.ts', 'test/iam/service-linked-roles.test.ts'),
  accountAdministrator('9-review', 'Service-linked roles of unused features are deleted.', 'DeleteServiceLinkedRole'),
];
