import { nameKey, nameOfArn } from '../iam/names.ts';
import { serviceMayAssume } from '../iam/service-trust.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

const SERVICE = 'mediapipelines.chime.amazonaws.com';

/**
 * Checks that the role of a configuration is in the account, and that its trust policy allows the service to assume it
 * for the configuration.
 *
 * Source: Chime SDK Developer Guide, "Using the call analytics resource access role": the trust policy has conditions
 * on the account and on the ARN of the configuration. A role of another account is not allowed.
 * Assumed: (1) The check applies when a configuration is created or changed. (2) The wording of the error message. (3)
 * The role for post-call analytics is not checked, because Transcribe assumes it after the call.
 * @throws BadRequestException the role does not exist, or the service may not assume it
 */
export async function requireAccessRole({ tx, accountId, now }: Call, roleArn: string, configurationArn: string): Promise<void> {
  const role = await tx.identity.get(accountId, 'role', nameKey(nameOfArn(roleArn)));
  const source = [
    ['aws:sourceaccount', accountId],
    ['aws:sourcearn', configurationArn],
  ] as const;
  if (role?.arn !== roleArn || !serviceMayAssume(role, SERVICE, now, source)) {
    throw new AwsError('BadRequestException', `${SERVICE} cannot assume the role '${roleArn}'.`);
  }
}
