/**
 * Operations that read resources that Belfry does not have: instance profiles, certificates, SSH keys and
 * service-specific credentials. Each operation returns an empty list or NoSuchEntityException. Clients call some of
 * these operations before they delete a user or a role. For example, Terraform's AWS provider always lists the instance
 * profiles of a role.
 */
import { arn } from '#core/arn.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { onArn, onRole, onUserOrSelf, userOrSelf } from './resources.ts';

const NOT_TRUNCATED = { IsTruncated: false } as const;

/** Operations that return an empty list, or NoSuchEntityException. */
export const emptyListOperations = {
  /**
   * Rejects every request.
   *
   * @throws NoSuchEntityException  always
   * Source: localstack/localstack, tests/aws/services/iam, `test_instance_profile_errors`, recorded on AWS on 2026-02-12.
   */
  GetInstanceProfile: {
    access: ({ InstanceProfileName }, { accountId }) => ({
      ...onArn(arn('iam', '', accountId, `instance-profile/${InstanceProfileName}`)),
      called: `instance profile ${InstanceProfileName}`,
    }),
    async handle(_call, { InstanceProfileName }) {
      throw noInstanceProfile(InstanceProfileName);
    },
  },
  /** Rejects every request. @throws NoSuchEntityException  always. Assumed: the message is that of GetInstanceProfile */
  ListInstanceProfileTags: {
    access: ({ InstanceProfileName }, { accountId }) => onArn(arn('iam', '', accountId, `instance-profile/${InstanceProfileName}`)),
    async handle(_call, { InstanceProfileName }) {
      throw noInstanceProfile(InstanceProfileName);
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
  /**
   * Rejects every request.
   *
   * @throws NoSuchEntityException  always
   * Source: localstack/localstack, tests/aws/services/iam, `test_server_certificate_errors`, recorded on AWS on 2026-02-17.
   */
  GetServerCertificate: {
    access: ({ ServerCertificateName }, { accountId }) => onArn(arn('iam', '', accountId, `server-certificate/${ServerCertificateName}`)),
    async handle(_call, { ServerCertificateName }) {
      throw noServerCertificate(ServerCertificateName);
    },
  },
  /** Rejects every request. @throws NoSuchEntityException  always. Assumed: the message is that of GetServerCertificate */
  ListServerCertificateTags: {
    access: ({ ServerCertificateName }, { accountId }) => onArn(arn('iam', '', accountId, `server-certificate/${ServerCertificateName}`)),
    async handle(_call, { ServerCertificateName }) {
      throw noServerCertificate(ServerCertificateName);
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
  /**
   * Rejects every request.
   *
   * @throws NoSuchEntityException  always, because the user or the key does not exist
   * Source: localstack/localstack, tests/aws/services/iam, `test_get_ssh_public_key_not_found`, recorded on AWS on 2026-02-13.
   */
  GetSSHPublicKey: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      await entity(call, 'user', input.UserName);
      throw new AwsError('NoSuchEntityException', `The Public Key with id ${input.SSHPublicKeyId} cannot be found.`);
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

function noInstanceProfile(name: string): AwsError {
  return new AwsError('NoSuchEntityException', `Instance Profile ${name} cannot be found.`);
}

function noServerCertificate(name: string): AwsError {
  return new AwsError('NoSuchEntityException', `The Server Certificate with name ${name} cannot be found.`);
}
