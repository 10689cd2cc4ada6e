import type { Issue } from './finding.ts';
import { ERRORS } from './issues-error.ts';

const PASS_ROLE = 'because it allows iam:PassRole permissions on';
const PASS_ROLE_ADVICE = 'We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement.';
const SPECIFY = 'We recommend that you specify resource ARNs instead.';
const SLR = 'can allow creation of unintended service-linked roles';
const MOVE = 'We recommend that you move these actions to a different statement without this condition key.';

/**
 * Issues that validation can report, by issue code.
 *
 * Source: IAM User Guide, "IAM policy validation check reference", 2026, unless a member says otherwise.
 */
export const ISSUES = {
  ...ERRORS,

  // SECURITY_WARNING: the policy may allow more than its author intends
  ALLOW_WITH_NOT_PRINCIPAL: {
    type: 'SECURITY_WARNING',
    details: 'Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal instead.',
  },
  FORALLVALUES_WITH_SINGLE_VALUED_KEY: {
    type: 'SECURITY_WARNING',
    details:
      'Using ForAllValues qualifier with the single-valued condition key {} can be overly permissive. We recommend that you remove ForAllValues:.',
  },
  PASS_ROLE_WITH_STAR_IN_RESOURCE: {
    type: 'SECURITY_WARNING',
    details: `Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive ${PASS_ROLE} multiple resources. ${PASS_ROLE_ADVICE}`,
  },
  PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE: {
    type: 'SECURITY_WARNING',
    details: `Using wildcards (*) in the action and the resource can be overly permissive ${PASS_ROLE} all resources. ${PASS_ROLE_ADVICE}`,
  },
  PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION: {
    type: 'SECURITY_WARNING',
    details: `Using a resource with wildcards (*) and NotAction can be overly permissive ${PASS_ROLE} all resources. ${PASS_ROLE_ADVICE}`,
  },
  PASS_ROLE_WITH_NOT_RESOURCE: {
    type: 'SECURITY_WARNING',
    details: `Using the iam:PassRole action with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. ${SPECIFY}`,
  },
  PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE: {
    type: 'SECURITY_WARNING',
    details: `Using an action with a wildcard (*) and NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. ${SPECIFY}`,
  },
  PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE: {
    type: 'SECURITY_WARNING',
    details: `Using NotAction with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources.. ${SPECIFY}`,
  },
  DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE: {
    type: 'SECURITY_WARNING',
    details: `Using the effect Deny with the tag condition key {} and actions for services with the following prefixes can be overly permissive: {}. Actions for the listed services are not denied by this statement. ${MOVE}`,
  },
  DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE: {
    type: 'SECURITY_WARNING',
    details:
      "Using the effect Deny with NotAction and the tag condition key {} can be overly permissive because some service actions are not denied by this statement. This is because the condition key doesn't apply to some service actions. We recommend that you use Action instead of NotAction.",
  },
  RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL: {
    type: 'SECURITY_WARNING',
    details:
      'Granting access to a service principal without specifying a source is overly permissive. Use aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths condition key to grant fine-grained access.',
  },
  MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL: {
    type: 'SECURITY_WARNING',
    details:
      'Using an Open ID Connect principal without a condition can be overly permissive. Add condition keys with a prefix that matches your federated OIDC principals to ensure that only the intended identity provider assumes the role.',
  },
  MISSING_GITHUB_REPO_CONDITION_KEY: {
    type: 'SECURITY_WARNING',
    details:
      'Granting a federated GitHub principal permissions without a condition key can allow more sources to assume the role than you intended. Add the token.actions.githubusercontent.com:sub condition key and specify the branch and repository name in the value.',
  },
  UNTRUSTWORTHY_CONDITION_KEY: {
    type: 'SECURITY_WARNING',
    details: 'The {} condition key is not recommended for access control as it can be spoofed/manipulated by the caller.',
  },
  STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS: {
    type: 'SECURITY_WARNING',
    details: 'Use the operator type {} instead of operator {} for the condition key {}.',
  },
  FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE: {
    type: 'SECURITY_WARNING',
    details:
      'Using ForAnyValue qualifier with the single-valued condition key {} can be overly permissive. We recommend that you remove ForAnyValue:.',
  },

  // WARNING: the policy works, but does not follow best practices
  MISSING_VERSION: {
    type: 'WARNING',
    details: 'We recommend that you specify the Version element to help you with debugging permission issues.',
  },
  UNIQUE_SIDS_RECOMMENDED: {
    type: 'WARNING',
    details: 'We recommend that you use statement IDs that are unique to your policy. Update the Sid value.',
  },
  WILDCARD_WITHOUT_LIKE_OPERATOR: {
    type: 'WARNING',
    details:
      'Your condition value includes a * or ? character. If you meant to use a wildcard (*, ?), update the condition operator to include Like.',
  },
  TYPE_MISMATCH: { type: 'WARNING', details: 'Use the operator type {} instead of operator {} for the condition key {}.' },
  TYPE_MISMATCH_BOOLEAN: { type: 'WARNING', details: 'Add a valid Boolean value (true or false) for the condition operator {}.' },
  TYPE_MISMATCH_DATE: {
    type: 'WARNING',
    details:
      'The date condition operator is used with an invalid value. Specify a valid date using YYYY-MM-DD or other ISO 8601 date/time format.',
  },
  TYPE_MISMATCH_NUMBER: { type: 'WARNING', details: 'Add a valid numeric value for the condition operator {}.' },
  TYPE_MISMATCH_STRING: { type: 'WARNING', details: 'Add a valid base64-encoded string value for the condition operator {}.' },
  INVALID_DATE_VALUE: {
    type: 'WARNING',
    details: 'The date {} might not resolve as expected. We recommend that you use the YYYY-MM-DD format.',
  },
  INVALID_ROLE_REFERENCE: {
    type: 'WARNING',
    details: 'The Principal element includes the IAM role ID {}. We recommend that you use a role ARN instead.',
  },
  INVALID_USER_REFERENCE: {
    type: 'WARNING',
    details: 'The Principal element includes the IAM user ID {}. We recommend that you use a user ARN instead.',
  },
  CREATE_SLR_WITH_STAR_IN_RESOURCE: {
    type: 'WARNING',
    details: `Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource ${SLR}. ${SPECIFY}`,
  },
  CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE: {
    type: 'WARNING',
    details: `Using wildcards (*) in the action and the resource ${SLR} because it allows iam:CreateServiceLinkedRole permissions on all resources. ${SPECIFY}`,
  },
  CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION: {
    type: 'WARNING',
    details: `Using a resource with wildcards (*) and NotAction ${SLR} because it allows iam:CreateServiceLinkedRole permissions on all resources. ${SPECIFY}`,
  },
  CREATE_SLR_WITH_NOT_RESOURCE: {
    type: 'WARNING',
    details: `Using the iam:CreateServiceLinkedRole action with NotResource ${SLR} for multiple resources. ${SPECIFY}`,
  },
  CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE: {
    type: 'WARNING',
    details: `Using an action with a wildcard(*) and NotResource ${SLR} because it can allow iam:CreateServiceLinkedRole permissions on multiple resources. ${SPECIFY}`,
  },
  CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE: {
    type: 'WARNING',
    details: `Using NotAction with NotResource ${SLR} because it allows iam:CreateServiceLinkedRole permissions on multiple resources. ${SPECIFY}`,
  },
  POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA: {
    type: 'WARNING',
    details:
      'The {} characters in the identity policy, excluding whitespace, exceed the {} character maximum for inline and managed policies. We recommend that you use multiple granular policies.',
  },
  POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA: {
    type: 'WARNING',
    details:
      'The {} characters in the resource policy exceed the {} character maximum for resource policies. We recommend that you use multiple granular policies.',
  },
  POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA: {
    type: 'WARNING',
    details:
      'The characters in the role trust policy, excluding whitespace, exceed the character maximum. We recommend that you request a role trust policy length quota increase using Service Quotas and AWS Support Center. If the quotas have already been increased, then you can ignore this warning.',
  },
  SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED: {
    type: 'WARNING',
    details:
      'Using a wildcard (*) in token.actions.githubusercontent.com:sub can allow requests from more sources than you intended. Specify the value of token.actions.githubusercontent.com:sub with the repository and branch name. If the subject claim does not include the branch, specify it in a token.actions.githubusercontent.com:ref condition key.',
  },

  // SUGGESTION: improvements that do not change the permissions
  EMPTY_ARRAY_ACTION: {
    type: 'SUGGESTION',
    details: 'This statement includes no actions and does not affect the policy. Specify actions.',
  },
  EMPTY_ARRAY_RESOURCE: {
    type: 'SUGGESTION',
    details: 'This statement includes no resources and does not affect the policy. Specify resources.',
  },
  EMPTY_ARRAY_PRINCIPAL: {
    type: 'SUGGESTION',
    details: 'This statement includes no principals and does not affect the policy. Specify principals.',
  },
  EMPTY_ARRAY_CONDITION: {
    type: 'SUGGESTION',
    details: 'There are no values for the condition key {} and it does not affect the policy. Specify conditions.',
  },
  EMPTY_ARRAY_CONDITION_FORALLVALUES: {
    type: 'SUGGESTION',
    details:
      'The ForAllValues prefix with an empty condition key matches only if the key {} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.',
  },
  EMPTY_ARRAY_CONDITION_FORANYVALUE: {
    type: 'SUGGESTION',
    details:
      'The ForAnyValue prefix with an empty condition key {} never matches the request context and it does not affect the policy. Specify conditions.',
  },
  EMPTY_ARRAY_CONDITION_IFEXISTS: {
    type: 'SUGGESTION',
    details:
      'The IfExists suffix with an empty condition key matches only if the key {} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.',
  },
  EMPTY_OBJECT_CONDITION: {
    type: 'SUGGESTION',
    details: 'This condition block is empty and it does not affect the policy. Specify conditions.',
  },
  EMPTY_OBJECT_PRINCIPAL: {
    type: 'SUGGESTION',
    details: 'This statement includes no principals and does not affect the policy. Specify principals.',
  },
  EMPTY_SID_VALUE: { type: 'SUGGESTION', details: 'Add a value to the empty string in the Sid element.' },
  IMPROVE_IP_RANGE: {
    type: 'SUGGESTION',
    details: 'The non-zero bits in the IP address after the masked bits are ignored. Replace address with {}.',
  },
  NULL_WITH_QUALIFIER: {
    type: 'SUGGESTION',
    details:
      'Avoid using the Null condition operator with the ForAllValues or ForAnyValue qualifiers because they always return a true or false respectively.',
  },
  // AWS's messages say that private addresses have no effect. Here they match, because this server can be in a private network.
  PRIVATE_IP_ADDRESS: {
    type: 'SUGGESTION',
    listedAs: 'ERROR',
    details:
      'The values for condition key aws:SourceIp include only private IP addresses. They match clients of this server in your own network, but no clients on AWS.',
  },
  PRIVATE_NOT_IP_ADDRESS: {
    type: 'SUGGESTION',
    listedAs: 'ERROR',
    details:
      'The values for condition key aws:SourceIp include only private IP addresses. They match clients of this server in your own network, but have no effect on AWS.',
  },
  PRIVATE_IP_ADDRESS_SUBSET: {
    type: 'SUGGESTION',
    details:
      'The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses match clients of this server in your own network, but no clients on AWS.',
  },
  PRIVATE_NOT_IP_ADDRESS_SUBSET: {
    type: 'SUGGESTION',
    details:
      'The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses match clients of this server in your own network, but have no effect on AWS.',
  },
  REDUNDANT_ACTION: {
    type: 'SUGGESTION',
    details:
      'The {} action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: {}.',
  },
  /** Recorded: responses of ValidatePolicy, 2026. AWS's reference page ends the message after `(*)`. */
  REDUNDANT_RESOURCE: {
    type: 'SUGGESTION',
    details:
      'The {} resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*), or remove the resource {} to remove the redundancy.',
  },
  REDUNDANT_STATEMENT: {
    type: 'SUGGESTION',
    details:
      'The statements are redundant because they provide identical permissions. Update the policy to remove the redundant statement.',
  },
  REDUNDANT_CONDITION_VALUE_NUM: {
    type: 'SUGGESTION',
    details: 'Multiple values in {} are redundant. Replace with the {} single value for {}.',
  },
  WILDCARD_IN_SERVICE_NAME: {
    type: 'SUGGESTION',
    details:
      'Avoid using wildcards (*, ?) in the service name because it might grant unintended access to other AWS services with similar names.',
  },
  ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE: {
    type: 'SUGGESTION',
    details: `Using the effect Allow with the tag condition key {} and actions for services with the following prefixes does not affect the policy: {}. Actions for the listed service are not allowed by this statement. ${MOVE}`,
  },
  ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE: {
    type: 'SUGGESTION',
    details:
      "Using the effect Allow with NotAction and the tag condition key {} allows only service actions that support the condition key. The condition key doesn't apply to some service actions. We recommend that you use Action instead of NotAction.",
  },
  RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL: {
    type: 'SUGGESTION',
    details:
      'To restrict access to the service principal {} operating on your behalf, we recommend aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths instead of {}.',
  },
  IRRELEVANT_CONDITION_KEY_IN_POLICY: {
    type: 'SUGGESTION',
    details:
      'The condition key {} is not relevant for the {} policy.  Use this key in an identity-based policy to govern access to this resource.',
  },
  REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY: {
    type: 'SUGGESTION',
    details: 'The assumed-role principal {} is redundant with its parent role {}. Remove the assumed-role principal.',
  },
  CONFIRM_AUDIENCE_CLAIM_TYPE: {
    type: 'SUGGESTION',
    details:
      'The "{}" ({}) claim key identifies the recipients that the JSON web token is intended for. Because this claim is single-valued, do not use a qualifier.',
  },
  EQUIVALENT_TO_NULL_FALSE: {
    type: 'SUGGESTION',
    details:
      'We recommend replacing the key {} in the condition block of {} with {{}: false} to ensure better enforcement of the condition.',
  },
  EQUIVALENT_TO_NULL_TRUE: {
    type: 'SUGGESTION',
    details:
      'We recommend replacing the key {} in the condition block of {} with {{}: true} to ensure better enforcement of the condition.',
  },
  REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION: {
    type: 'SUGGESTION',
    details:
      'The key {} in the condition block of {} is redundant because it is always matched. Remove this key to simplify the condition.',
  },
  REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION: {
    type: 'SUGGESTION',
    details: 'The key {} in the condition block of {} does not match any values. Remove this key to simplify the condition.',
  },
} as const satisfies Record<string, Issue>;

/** Code of an issue that validation can report. */
export type IssueCode = keyof typeof ISSUES;
