/**
 * List operations for resources that Belfry does not have: instance profiles, certificates, SSH keys, service-specific credentials.
 * The lists are always empty. Clients call them before they delete a user or a role. For example, Terraform's AWS provider always lists
 * the instance profiles of a role.
 */
import type { IamApi } from '#model/generated/iam.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { entity } from './entities.ts';
import { onRole, onUserOrSelf, userOrSelf } from './resources.ts';

const NOT_TRUNCATED = { IsTruncated: false } as const;

/** List operations that return an empty list. */
export const emptyListOperations = {
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
