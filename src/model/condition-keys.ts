/** Data type of a condition key. */
export type ConditionKeyType = 'String' | 'ARN' | 'Bool' | 'Numeric' | 'Date' | 'IPAddress' | 'Binary';

/**
 * Global condition keys, which apply to all services, with their types. The type of a multivalued key ends with `[]`.
 *
 * Source: IAM User Guide, "AWS global condition context keys", data type and value type of each key. Policies of AWS use
 * aws:PrincipalOrgMasterAccountId (IAM Identity Center) and aws:IsMcpServiceAction (AWSMcpServiceActionsFullAccess).
 * Assumed: the types of aws:AssumedRoot and of the keys of the AWS MCP server, which follow from their description.
 */
// biome-ignore format: a table
export const GLOBAL_CONDITION_KEYS: Readonly<Record<string, ConditionKeyType | `${ConditionKeyType}[]`>> = {
  // keys of the principal
  'aws:PrincipalArn':                'ARN',
  'aws:PrincipalAccount':            'String',
  'aws:PrincipalOrgID':              'String',
  'aws:PrincipalOrgMasterAccountId': 'String',
  'aws:PrincipalOrgPaths':           'String[]',
  'aws:PrincipalTag/${TagKey}':      'String',
  'aws:PrincipalIsAWSService':       'Bool',
  'aws:PrincipalServiceName':        'String',
  'aws:PrincipalServiceNamesList':   'String[]',
  'aws:PrincipalType':               'String',
  'aws:userid':                      'String',
  'aws:username':                    'String',
  // keys of the principal's role session
  'aws:AssumedRoot':                 'Bool',
  'aws:FederatedProvider':           'String',
  'aws:TokenIssueTime':              'Date',
  'aws:MultiFactorAuthAge':          'Numeric',
  'aws:MultiFactorAuthPresent':      'Bool',
  'aws:ChatbotSourceArn':            'ARN',
  'aws:Ec2InstanceSourceVpc':        'String',
  'aws:Ec2InstanceSourcePrivateIPv4': 'IPAddress',
  'aws:SourceIdentity':              'String',
  'ec2:RoleDelivery':                'Numeric',
  'ec2:SourceInstanceArn':           'ARN',
  'glue:RoleAssumedBy':              'String',
  'glue:CredentialIssuingService':   'String',
  'lambda:SourceFunctionArn':        'ARN',
  'ssm:SourceInstanceArn':           'ARN',
  'identitystore:UserId':            'String',
  // keys of the network
  'aws:SourceIp':                    'IPAddress',
  'aws:SourceVpc':                   'String',
  'aws:SourceVpcArn':                'ARN',
  'aws:SourceVpce':                  'String',
  'aws:VpceAccount':                 'String',
  'aws:VpceOrgID':                   'String',
  'aws:VpceOrgPaths':                'String[]',
  'aws:VpcSourceIp':                 'IPAddress',
  // keys of the resource
  'aws:ResourceAccount':             'String',
  'aws:ResourceOrgID':               'String',
  'aws:ResourceOrgPaths':            'String[]',
  'aws:ResourceTag/${TagKey}':       'String',
  // keys of the request
  'aws:CalledVia':                   'String[]',
  'aws:CalledViaFirst':              'String',
  'aws:CalledViaLast':               'String',
  'aws:ViaAWSService':               'Bool',
  'aws:CalledViaAWSMCP':             'String',
  'aws:ViaAWSMCPService':            'Bool',
  'aws:IsMcpServiceAction':          'Bool',
  'aws:CurrentTime':                 'Date',
  'aws:EpochTime':                   'Date',
  'aws:referer':                     'String',
  'aws:RequestedRegion':             'String',
  'aws:RequestTag/${TagKey}':        'String',
  'aws:TagKeys':                     'String[]',
  'aws:SecureTransport':             'Bool',
  'aws:SourceAccount':               'String',
  'aws:SourceArn':                   'ARN',
  'aws:SourceOrgID':                 'String',
  'aws:SourceOrgPaths':              'String[]',
  'aws:UserAgent':                   'String',
};
