// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import type { Issue } from './finding.ts';

/**
 * Issues of type ERROR: a part of the policy does not work.
 *
 * Source: IAM User Guide, "IAM policy validation check reference", 2026, unless a member says otherwise.
 */
export const ERRORS = {
  // the document
  JSON_SYNTAX_ERROR: { type: 'ERROR', details: 'Fix the JSON syntax error at index {} line {} column {}.' },
  DATA_TYPE_MISMATCH: { type: 'ERROR', details: 'The text does not match the expected JSON data type {}.' },
  INVALID_POLICY_ELEMENT: { type: 'ERROR', details: 'The policy element {} is not valid.' },
  UNSUPPORTED_ELEMENT_COMBINATION: {
    type: 'ERROR',
    details: 'The policy elements {} and {} can not be used in the same statement. Remove one of these elements.',
  },
  MISSING_STATEMENT: { type: 'ERROR', details: 'Add a statement to the policy' },
  MISSING_EFFECT: { type: 'ERROR', details: 'Add an Effect element to the policy statement with a value of Allow or Deny.' },
  MISSING_ACTION: { type: 'ERROR', details: 'Add an Action or NotAction element to the policy statement.' },
  MISSING_RESOURCE: { type: 'ERROR', details: 'Add a Resource or NotResource element to the policy statement.' },
  MISSING_PRINCIPAL: { type: 'ERROR', details: 'Add a Principal element to the policy statement.' },
  INVALID_EFFECT: { type: 'ERROR', details: 'The effect {} is not valid. Use Allow or Deny.' },
  INVALID_VERSION: { type: 'ERROR', details: 'The version {} is not valid. Use one of the following versions: 2012-10-17, 2008-10-17' },
  UNSUPPORTED_SID: {
    type: 'ERROR',
    details: 'Update the characters in the Sid element to use one of the following character types: [a-z, A-Z, 0-9]',
  },
  UNIQUE_SIDS_REQUIRED: { type: 'ERROR', details: 'Duplicate statement IDs are not supported for this policy type. Update the Sid value.' },
  POLICY_SIZE_EXCEEDS_SCP_QUOTA: {
    type: 'ERROR',
    details:
      'The {} characters in the service control policy (SCP) exceed the {} character maximum for SCPs. We recommend that you use multiple granular policies.',
  },
  SCP_SYNTAX_ERROR_PRINCIPAL: {
    type: 'ERROR',
    details: 'SCPs do not support specifying principals. Remove the Principal or NotPrincipal element.',
  },
  // actions
  INVALID_ACTION: { type: 'ERROR', details: 'The action {} does not exist.{}' },
  INVALID_SERVICE: { type: 'ERROR', details: 'The service {} does not exist. Use a valid service name.' },
  INVALID_SERVICE_IN_ACTION: { type: 'ERROR', details: 'The service {} specified in the action does not exist.{}' },
  UNSUPPORTED_ACTION_IN_POLICY: {
    type: 'ERROR',
    details: 'The action {} is not supported for the resource-based policy attached to the resource type {}.',
  },
  MISSING_ACTION_FOR_CONDITION_KEY: {
    type: 'ERROR',
    details: 'The {} action must be in the action block to allow setting values for the condition key {}. Add {} to the action block.',
  },
  UNSUPPORTED_ACTION_FOR_CONDITION_KEY: {
    type: 'ERROR',
    details:
      'The following actions: {} are not supported by the condition key {}. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key.',
  },
  // resources
  INVALID_ARN_PREFIX: { type: 'ERROR', details: 'Add the required prefix (arn) to the resource ARN.' },
  MISSING_ARN_FIELD: {
    type: 'ERROR',
    details: 'Resource ARNs must include at least {} fields in the following structure: arn:partition:service:region:account:resource',
  },
  INVALID_PARTITION: {
    type: 'ERROR',
    details: 'The resource ARN for the service {} does not support the partition {}. Use the supported values: {}',
  },
  INVALID_ARN_SERVICE_CASE: { type: 'ERROR', details: 'Update the service name {} in the resource ARN to use all lowercase letters.' },
  INVALID_ARN_REGION: {
    type: 'ERROR',
    details: 'The Region {} is not valid for this resource. Update the resource ARN to include a supported Region.',
  },
  MISSING_ARN_REGION: { type: 'ERROR', details: 'Add a Region to the {} resource ARN.' },
  ARN_REGION_NOT_ALLOWED: { type: 'ERROR', details: 'The service {} does not support specifying a Region in the resource ARN.' },
  INVALID_ARN_ACCOUNT: { type: 'ERROR', details: 'The resource ARN account ID {} is not valid. Provide a 12-digit account ID.' },
  MISSING_ARN_ACCOUNT: {
    type: 'ERROR',
    details: 'The resource {} in the arn is missing an account id. Please provide a 12 digit account id.',
  },
  ARN_ACCOUNT_NOT_ALLOWED: { type: 'ERROR', details: 'The service {} does not support specifying an account ID in the resource ARN.' },
  INVALID_ARN_RESOURCE: {
    type: 'ERROR',
    details: 'Resource ARN does not match the expected ARN format. Update the resource portion of the ARN.',
  },
  UNSUPPORTED_RESOURCE_ARN_IN_POLICY: {
    type: 'ERROR',
    details: 'The resource ARN is not supported for the resource-based policy attached to the resource type {}.',
  },
  // condition operators and keys
  INVALID_CONDITION_OPERATOR: { type: 'ERROR', details: 'The condition operator {} is not valid. Use a valid condition operator.' },
  NULL_WITH_IF_EXISTS: {
    type: 'ERROR',
    details: 'The Null condition operator cannot be used with the IfExists suffix. Update the operator or the suffix.',
  },
  INVALID_CONDITION_KEY_FORMAT: { type: 'ERROR', details: 'The condition key format is not valid. Use the format service:keyname.' },
  INVALID_GLOBAL_CONDITION_KEY: { type: 'ERROR', details: 'The condition key {} does not exist. Use a valid condition key.' },
  INVALID_SERVICE_CONDITION_KEY: {
    type: 'ERROR',
    details: 'The condition key {} does not exist in the service {}. Use a valid condition key.',
  },
  UNSUPPORTED_GLOBAL_CONDITION_KEY: {
    type: 'ERROR',
    details: 'The condition key aws:ARN is not supported. Use aws:PrincipalArn or aws:SourceArn instead.',
  },
  UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL: {
    type: 'ERROR',
    details: 'The following condition keys are not supported when used with the service principal: {}.',
  },
  DUPLICATE_KEYS_WITH_DIFFERENT_CASE: {
    type: 'ERROR',
    details:
      'The condition key {} appears more than once with different capitalization in the same condition block. Remove the duplicate condition keys.',
  },
  MISSING_TAG_KEY_IN_CONDITION: {
    type: 'ERROR',
    details:
      'The condition key {} must include a tag key to control access based on tags. Use the format {}tag-key and specify a key name for tag-key.',
  },
  MISSING_QUALIFIER: {
    type: 'ERROR',
    details: 'The request context key {} has multiple values. Use the ForAllValues or ForAnyValue condition key qualifiers in your policy.',
  },
  // condition values
  INVALID_CONDITION_DATA_TYPE: {
    type: 'ERROR',
    details: 'The condition value data types do not match. Use condition values of the same JSON data type.',
  },
  INVALID_CONDITION_MULTIPLE_BOOLEAN: {
    type: 'ERROR',
    details: 'The condition key does not support multiple Boolean values. Use a single Boolean value.',
  },
  INVALID_REGION: { type: 'ERROR', details: 'The Region {} is not valid. Update the condition value to a supported Region.' },
  INVALID_VPC_FORMAT: {
    type: 'ERROR',
    details:
      "The VPC identifier in the condition key value is not valid. Use the prefix 'vpc-' followed by 8 or 17 alphanumeric characters.",
  },
  INVALID_VPCE_FORMAT: {
    type: 'ERROR',
    details:
      "The VPCE identifier in the condition key value is not valid.  Use the prefix 'vpce-' followed by 8 or 17 alphanumeric characters.",
  },
  TYPE_MISMATCH_IP_RANGE: {
    type: 'ERROR',
    details: 'The condition operator {} is used with an invalid IP range value. Specify the IP range in standard CIDR format.',
  },
  VARIABLE_USAGE_TOO_PERMISSIVE: {
    type: 'ERROR',
    details: '{}',
  },
  WILDCARD_USAGE_TOO_PERMISSIVE: {
    type: 'ERROR',
    details: '{}',
  },
  // policy variables
  INVALID_VARIABLE_FOR_OPERATOR: { type: 'ERROR', details: 'Policy variables can only be used with String and ARN operators.' },
  MISSING_BRACE_IN_VARIABLE: {
    type: 'ERROR',
    details: 'The policy variable is missing a closing curly brace. Add } after the variable text.',
  },
  MISSING_QUOTE_IN_VARIABLE: {
    type: 'ERROR',
    details: 'The policy variable default value must begin and end with a single quote. Add the missing quote.',
  },
  UNSUPPORTED_SPACE_IN_VARIABLE: { type: 'ERROR', details: 'A space is not supported within the policy variable text. Remove the space.' },
  /** Source: AWS's reference page of 2021. The page of 2026 does not list this issue. */
  UNSUPPORTED_SYMBOL_IN_VARIABLE: {
    type: 'ERROR',
    details: 'The symbol {} is not supported within the policy variable text. Remove the symbol.',
  },
  EMPTY_VARIABLE: {
    type: 'ERROR',
    details: 'Empty policy variable. Remove the ${ } variable structure or provide a variable within the structure.',
  },
  VARIABLE_UNSUPPORTED_IN_ELEMENT: {
    type: 'ERROR',
    details: 'Policy variables are supported in the Resource and Condition elements. Remove the policy variable {} from this element.',
  },
  VARIABLE_UNSUPPORTED_IN_VERSION: {
    type: 'ERROR',
    details: 'To include variables in your policy, use the policy version 2012-10-17 or later.',
  },
  // principals
  INVALID_PRINCIPAL_FORMAT: {
    type: 'ERROR',
    details: 'The Principal element contents are not valid. Specify a key-value pair in the Principal element.',
  },
  INVALID_PRINCIPAL_KEY: { type: 'ERROR', details: 'The principal key {} is not valid.' },
  UNSUPPORTED_PRINCIPAL: {
    type: 'ERROR',
    details: 'The policy type {} does not support the Principal element. Remove the Principal element.',
  },
  UNSUPPORTED_WILDCARD_IN_PRINCIPAL: {
    type: 'ERROR',
    details: 'Wildcards (*, ?) are not supported with the principal key {}. Replace the wildcard with a valid principal value.',
  },
  INVALID_SERVICE_PRINCIPAL_FORMAT: {
    type: 'ERROR',
    details: 'The service principal does not match the expected format. Use the format {}.',
  },
  FEDERATED_PRINCIPAL_NOT_SUPPORTED: {
    type: 'ERROR',
    details: 'The policy type does not support a federated identity provider in the principal element. Use a supported principal.',
  },
  ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL: {
    type: 'ERROR',
    details: 'Role trust policies do not support NotPrincipal. Update the policy to use a Principal element instead.',
  },
  ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE: {
    type: 'ERROR',
    details:
      'Role trust policies apply to the role that they are attached to. You cannot specify a resource. Remove the Resource or NotResource element.',
  },
  ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL: {
    type: 'ERROR',
    details:
      '"Principal:" "*" is not supported in the principal element of a role trust policy. Replace the wildcard with a valid principal value.',
  },
  INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY: {
    type: 'ERROR',
    details:
      'The principal value specifies a federated principal that does not match the expected format. Update the federated principal to a domain name or a SAML metadata ARN.',
  },
  MISMATCHED_ACTION_FOR_PRINCIPAL: {
    type: 'ERROR',
    details:
      'The {} action is invalid with the following principal(s): {}. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options.',
  },
  MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY: {
    type: 'ERROR',
    details:
      'The rolesanywhere.amazonaws.com service principal requires the sts:AssumeRole, sts:SetSourceIdentity, and sts:TagSession permissions to assume a role. Add the missing permissions to the policy.',
  },
} as const satisfies Record<string, Issue>;
