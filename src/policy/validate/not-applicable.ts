/**
 * Issue codes of AWS's reference that can never be found here, each with the reason.
 *
 * Source: IAM User Guide, "Access Analyzer policy check reference".
 */
const NO_RESOURCE_CONTROL_POLICIES = 'resource control policies limit resource policies, and no service answered here takes part in them';

// biome-ignore format: a table
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  SCP_SYNTAX_ERROR_ACTION_WILDCARD:                    'still on the page, but service control policies take wildcards anywhere since September 2025',
  SCP_SYNTAX_ERROR_ALLOW_CONDITION:                    'withdrawn by AWS in September 2025: service control policies speak the whole language',
  SCP_SYNTAX_ERROR_ALLOW_NOTACTION:                    'withdrawn by AWS in September 2025: service control policies speak the whole language',
  SCP_SYNTAX_ERROR_ALLOW_RESOURCE:                     'withdrawn by AWS in September 2025: service control policies speak the whole language',
  SCP_SYNTAX_ERROR_NOTRESOURCE:                        'withdrawn by AWS in September 2025: service control policies speak the whole language',
  POLICY_SIZE_EXCEEDS_RCP_QUOTA:                       NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_PRINCIPAL:                          NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_ALLOW:                              NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_NOTACTION:                          NO_RESOURCE_CONTROL_POLICIES,
  RCP_SYNTAX_ERROR_ACTION:                             NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY:         NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY: NO_RESOURCE_CONTROL_POLICIES,
  RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK:        NO_RESOURCE_CONTROL_POLICIES,
  DEPRECATED_GLOBAL_CONDITION_KEY:                     'its one key, aws:ARN, is the error UNSUPPORTED_GLOBAL_CONDITION_KEY',
  INVALID_KMS_KEY_VALUE:                               'the key management service is not answered here',
  S3_PREFIX_IN_NEGATIVE_CONTEXT:                       'the storage service is not answered here',
  DYNAMODB_ATTRIBUTES_WITHOUT_SELECT:                  'the database service is not answered here',
  MISSING_PAIRED_CONDITION_KEYS:                       'the pairs AWS names are keys of services that are not answered here',
  USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES:      'the keys are those of private endpoints (aws:Vpce…), which this server does not have',
};
