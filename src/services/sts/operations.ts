import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { assumeRole } from './assume-role.ts';
import { decodeAuthorizationMessage, getAccessKeyInfo, getCallerIdentity } from './caller-identity.ts';
import type { StsDeps } from './deps.ts';
import { assumeRoleWithSaml } from './saml.ts';
import { getFederationToken, getSessionToken } from './user-sessions.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

/** Returns the operations of STS. */
export function stsOperations(deps: StsDeps): OperationTable<'sts'> {
  return operationTable('sts', {
    AssumeRole: assumeRole(deps),
    AssumeRoleWithSAML: assumeRoleWithSaml(deps),
    AssumeRoleWithWebIdentity: assumeRoleWithWebIdentity(deps),
    DecodeAuthorizationMessage: decodeAuthorizationMessage(deps),
    GetAccessKeyInfo: getAccessKeyInfo,
    GetCallerIdentity: getCallerIdentity,
    GetFederationToken: getFederationToken(deps),
    GetSessionToken: getSessionToken(deps),
  });
}
