import type { Vault } from '#core/vault.ts';
import type { AnalyzedKind } from '../kit/analyzed-resources.ts';
import { service } from '../kit/service.ts';
import type { IamDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/** Parts of the server that IAM needs. */
export interface IamParts extends Required<IamDeps> {
  readonly vault: Vault;
}

/** Roles and their trust policies. */
const ROLES: AnalyzedKind = {
  type: 'AWS::IAM::Role',
  find: async ({ tx }, accountId, arn) => (await import('./analyzed-roles.ts')).findRole(tx, accountId, arn),
  list: async ({ tx }, accountId, after, limit) => (await import('./analyzed-roles.ts')).listRoles(tx, accountId, after, limit),
};

/** Declaration of the service IAM. It omits `kinds`, because all records of IAM are in the identity store. */
export const iam = service<IamParts>({
  name: 'iam',
  operations: async (parts) => (await import('./operations.ts')).iamOperations(parts),
  analyzed: [ROLES],
  rules: async () => (await import('./rules/rules.ts')).IAM_RULES,
  invalidPageToken: () => new AwsError('ValidationError', 'Invalid Marker.'),
});
