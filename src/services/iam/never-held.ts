/**
 * Lists of what Belfry never holds: instance profiles, certificates, SSH keys, service-specific credentials. They are truly empty, and
 * clients ask for them before they delete a user or a role: Terraform's AWS provider asks for a role's instance profiles each time.
 */
import type { IamApi } from '#model/generated/iam.ts';
import type { ServiceOperations } from '../operation.ts';
import { entity } from './entities.ts';
import { onAccount, onRole, onUserOrSelf, userOrSelf } from './resources.ts';

const NO_MORE = { IsTruncated: false } as const;

export const neverHeldOperations = {
  ListInstanceProfiles: {
    access: () => onAccount('iam:ListInstanceProfiles'),
    handle: async () => ({ InstanceProfiles: [], ...NO_MORE }),
  },
  ListInstanceProfilesForRole: {
    access: (input, caller) => onRole('iam:ListInstanceProfilesForRole', caller, input.RoleName),
    async handle(call, input) {
      await entity(call, 'role', input.RoleName);
      return { InstanceProfiles: [], ...NO_MORE };
    },
  },
  ListServerCertificates: {
    access: () => onAccount('iam:ListServerCertificates'),
    handle: async () => ({ ServerCertificateMetadataList: [], ...NO_MORE }),
  },
  ListSigningCertificates: {
    access: (input, caller) => onUserOrSelf('iam:ListSigningCertificates', caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { Certificates: [], ...NO_MORE };
    },
  },
  ListSSHPublicKeys: {
    access: (input, caller) => onUserOrSelf('iam:ListSSHPublicKeys', caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { SSHPublicKeys: [], ...NO_MORE };
    },
  },
  ListServiceSpecificCredentials: {
    access: (input, caller) => onUserOrSelf('iam:ListServiceSpecificCredentials', caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      if (name !== undefined) await entity(call, 'user', name);
      return { ServiceSpecificCredentials: [], ...NO_MORE };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;
