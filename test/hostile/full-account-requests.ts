/** Requests that read many records of an account or organization with full quotas. `full-account.ts` writes the records. */
import type { AccountId } from '#core/arn.ts';
import { JOB_ID, nameOf } from './full-account.ts';
import { form, type HostileRequest } from './worst-analysis-requests.ts';

type Parameters = readonly (readonly [string, string])[];

/** Returns the read requests on a full account. The account's administrator sends them. */
export function fullAccountRequests(accountId: AccountId): HostileRequest[] {
  const policyArn = `arn:aws:iam::${accountId}:policy/${nameOf('policy', 0)}`;
  const all: Parameters = [['MaxItems', '1000']];
  // biome-ignore format: a table
  const rows: readonly (readonly [operation: string, what: string, parameters: Parameters])[] = [
    ['GetAccountSummary',                '',                            []],
    ['ListSAMLProviders',                '',                            []],
    ['ListOpenIDConnectProviders',       '',                            []],
    ['GetSAMLProvider',                  '',                            [['SAMLProviderArn', `arn:aws:iam::${accountId}:saml-provider/${nameOf('saml', 1)}`]]],
    ['ListUsers',                        '',                            all],
    ['ListUsers',                        'a prefix that none has',      [...all, ['PathPrefix', '/none/']]],
    ['ListRoles',                        '',                            all],
    ['ListGroups',                       '',                            all],
    ['GetGroup',                         'with all users',              [...all, ['GroupName', nameOf('group', 0)]]],
    ['ListPolicies',                     'local',                       [...all, ['Scope', 'Local']]],
    ['ListPolicies',                     'attached',                    [...all, ['OnlyAttached', 'true']]],
    ['ListPolicies',                     'of AWS',                      [...all, ['Scope', 'AWS']]],
    ['ListEntitiesForPolicy',            '',                            [...all, ['PolicyArn', policyArn]]],
    ['ListEntitiesForPolicy',            'a prefix that none has',      [...all, ['PolicyArn', policyArn], ['PathPrefix', '/none/']]],
    ['GetPolicy',                        'attached to all',             [['PolicyArn', policyArn]]],
    ['ListVirtualMFADevices',            '',                            all],
    ['GetAccountAuthorizationDetails',   '',                            all],
    ['GetAccountAuthorizationDetails',   'roles',                       [...all, ['Filter.member.1', 'Role']]],
    ['GetAccountAuthorizationDetails',   'policies',                    [...all, ['Filter.member.1', 'LocalManagedPolicy']]],
    ['GetAccountAuthorizationDetails',   'of AWS',                      [...all, ['Filter.member.1', 'AWSManagedPolicy']]],
    ['GenerateCredentialReport',         '',                            []],
    ['GetCredentialReport',              '',                            []],
    ['GenerateServiceLastAccessedDetails', '',                          [['Arn', policyArn]]],
    ['GetServiceLastAccessedDetails',    '',                            [['JobId', JOB_ID]]],
    ['GetServiceLastAccessedDetailsWithEntities', '',                   [['JobId', JOB_ID], ['ServiceNamespace', 'chime']]],
    ['CreateRole',                       'over the quota',              [['RoleName', 'more'], ['AssumeRolePolicyDocument', '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}']]],
    ['ListAccessKeys',                   'of a user',                   [['UserName', nameOf('user', 0)]]],
    ['UpdateGroup',                      'with all users',              [['GroupName', nameOf('group', 0)], ['NewGroupName', nameOf('group', 0).toUpperCase()]]],
    ['ListPoliciesGrantingServiceAccess', '',                           [['Arn', `arn:aws:iam::${accountId}:user/${nameOf('user', 1)}`], ['ServiceNamespaces.member.1', 's3']]],
  ];
  return rows.map(([operation, what, parameters]) => form(`${operation}${what && `, ${what}`}`, operation, parameters));
}

/** Returns the read requests on a full organization. The management account's administrator sends them. */
export function fullOrganizationRequests(): HostileRequest[] {
  const root = 'r-full';
  // biome-ignore format: a table
  const rows: readonly (readonly [operation: string, what: string, input: object])[] = [
    ['ListAccounts',                     '',         {}],
    ['ListAccountsForParent',            '',         { ParentId: root }],
    ['ListAccountsForParent',            'an empty unit', { ParentId: 'ou-full-00000001' }],
    ['ListChildren',                     'accounts', { ParentId: root, ChildType: 'ACCOUNT' }],
    ['ListChildren',                     'units',    { ParentId: root, ChildType: 'ORGANIZATIONAL_UNIT' }],
    ['ListOrganizationalUnitsForParent', '',         { ParentId: root }],
    ['ListPolicies',                     '',         { Filter: 'SERVICE_CONTROL_POLICY' }],
    ['ListTargetsForPolicy',             '',         { PolicyId: 'p-FullAWSAccess' }],
    ['CreatePolicy',                     'a name that is taken', { Type: 'SERVICE_CONTROL_POLICY', Name: nameOf('scp', 1), Description: '', Content: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}' }],
    ['DeletePolicy',                     'in use',   { PolicyId: 'p-00000001' }],
    ['CreateOrganizationalUnit',         'a name that is taken', { ParentId: root, Name: nameOf('unit', 1) }],
    ['DeleteOrganizationalUnit',         'empty',    { OrganizationalUnitId: 'ou-full-00000002' }],
    ['ListCreateAccountStatus',          '',         {}],
    ['ListHandshakesForOrganization',    '',         {}],
    ['DisablePolicyType',                '',         { RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }],
    ['EnablePolicyType',                 '',         { RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }],
  ];
  return rows.map(([operation, what, input]) => ({
    name: `organizations ${operation}${what && `, ${what}`}`,
    signingName: 'organizations',
    path: '/',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSOrganizationsV20161128.${operation}` },
    body: Buffer.from(JSON.stringify(input)),
  }));
}

/** Returns the requests that evaluate configuration rules on a full account. The account's administrator sends them. */
export function fullRuleRequests(): HostileRequest[] {
  // biome-ignore format: a table
  const rows: readonly (readonly [operation: string, path: string, input: object])[] = [
    ['ListConfigurationRules',       '/belfry/list-configuration-rules',        {}],
    ['ListConfigurationRuleResults', '/belfry/list-configuration-rule-results', { ruleName: 'iam-user-no-policies-check', maxResults: 1_000 }],
    ['ListConfigurationRuleResults', '/belfry/list-configuration-rule-results', { ruleName: 'iam-user-unused-credentials-check', maxResults: 1_000 }],
    ['ListConfigurationRuleResults', '/belfry/list-configuration-rule-results', { ruleName: 'iam-policy-no-statements-with-admin-access', maxResults: 1_000 }],
    ['ListConfigurationRuleResults', '/belfry/list-configuration-rule-results', { ruleName: 'organizations-service-control-policy-attached' }],
  ];
  return rows.map(([operation, path, input]) => ({
    name: `${operation}${'ruleName' in input ? `, ${input.ruleName}` : ''}`,
    signingName: 'access-analyzer',
    path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(input)),
  }));
}
