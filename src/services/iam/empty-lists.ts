/**
 * Operations that read resources that Belfry does not have: instance profiles, certificates, SSH keys, service-specific credentials.
 * The lists are always empty. Clients call them before they delete a user or a role. For example, Terraform's AWS provider always lists
 * the instance profiles of a role.
 */
import { arn } from '#core/arn.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { onArn, onRole, onUserOrSelf, userOrSelf } from './resources.ts';

const NOT_TRUNCATED = { IsTruncated: false } as const;

/** Operations that find nothing. */
export const emptyListOperations = {
  /**
   * @throws NoSuchEntityException  always
   * Source: localstack/localstack, tests/aws/services/iam, `test_instance_profile_errors`, recorded on AWS on 2026-02-12.
   */
  GetInstanceProfile: {
    access: ({ InstanceProfileName }, { accountId }) => ({
      ...onArn(arn('iam', '', accountId, `instance-profile/${InstanceProfileName}`)),
      called: `instance profile ${InstanceProfileName}`,
    }),
    async handle(_call, { InstanceProfileName }) {
      throw new AwsError('NoSuchEntityException', `Instance Profile ${InstanceProfileName} cannot be found.`);
    },
  },
  ListInstanceProfiles: {
    handle: async () => ({ InstanceProfiles: [], ...NOT_TRUNCATED }),
  },
  ListInstanceProfilesForRole: {
    access: (input, caller) => onRole(caller, input.RoleName),
    async handle(call, input) {
      await entity(call, 'role', input.RoleName);
      return { InstanceProfiles: [], ...NOT_TRUNCATED };
    },
  },
  ListServerCertificates: {
    handle: async () => ({ ServerCertificateMetadataList: [], ...NOT_TRUNCATED }),
  },
  ListSigningCertificates: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { Certificates: [], ...NOT_TRUNCATED };
    },
  },
  ListSSHPublicKeys: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { SSHPublicKeys: [], ...NOT_TRUNCATED };
    },
  },
  ListServiceSpecificCredentials: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { ServiceSpecificCredentials: [], ...NOT_TRUNCATED };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;
