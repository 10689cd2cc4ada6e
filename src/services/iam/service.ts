import type { Vault } from '#core/vault.ts';
import { service } from '../kit/service.ts';
import type { IamDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/** Parts of the server that IAM needs. */
export interface IamParts extends Required<IamDeps> {
  readonly vault: Vault;
}

/** Declaration of the service IAM. It omits `kinds`, because all records of IAM are in the identity store. */
export const iam = service<IamParts>({
  name: 'iam',
  operations: async (parts) => (await import('./operations.ts')).iamOperations(parts),
  rules: async () => (await import('./rules/rules.ts')).IAM_RULES,
  invalidPageToken: () => new AwsError('ValidationError', 'Invalid Marker.'),
});
