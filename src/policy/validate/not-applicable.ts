const NO_RESOURCE_CONTROL_POLICIES = 'no service of this server supports resource control policies';
const SCP_FULL_LANGUAGE = 'withdrawn by AWS in September 2025: service control policies support the full policy language';

/**
 * Issue codes of AWS's reference that this server never reports, each with the reason.
 *
 * Source: IAM User Guide, "Access Analyzer policy check reference".
 */
// biome-ignore format: a table
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  SCP_SYNTAX_ERROR_ACTION_WILDCARD:                    'still on the page, but service control policies support wildcards anywhere since September 2025',
  SCP_SYNTAX_ERROR_ALLOW_CONDITION:                    SCP_FULL_LANGUAGE,
  SCP_SYNTAX_ERROR_ALLOW_NOTACTION:                    SCP_FULL_LANGUAGE,
  SCP_SYNTAX_ERROR_ALLOW_RESOURCE:                     SCP_FULL_LANGUAGE,
  SCP_SYNTAX_ERROR_NOTRESOURCE:                        SCP_FULL_LANGUAGE,
  POLICY_SIZE_EXCEEDS_RCP_QUOTA:                       NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_PRINCIPAL:                          NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_ALLOW:                              NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_NOTACTION:                          NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_ACTION:                             NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY:         NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY: NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK:        NO_RESOURCE_CONTROL_POLICIES,
  DEPRECATED_GLOBAL_CONDITION_KEY:                     'its only key, aws:ARN, is reported as UNSUPPORTED_GLOBAL_CONDITION_KEY',
  INVALID_KMS_KEY_VALUE:                               'this server does not include AWS KMS',
  S3_PREFIX_IN_NEGATIVE_CONTEXT:                       'this server does not include Amazon S3',
  DYNAMODB_ATTRIBUTES_WITHOUT_SELECT:                  'this server does not include Amazon DynamoDB',
  MISSING_PAIRED_CONDITION_KEYS:                       'AWS lists only pairs of keys that belong to services this server does not include',
  USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES:      'its keys describe VPC endpoints (aws:Vpce…), which this server does not have',
};
