import { nameKey, nameOfArn } from '../iam/names.ts';
import { serviceMayAssume } from '../iam/service-trust.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

const SERVICE = 'mediapipelines.chime.amazonaws.com';

/**
 * The role that media insights pipelines act with is of the account, and trusts the service on behalf of what names it.
 *
 * Source: Chime SDK Developer Guide, "Using the call analytics resource access role": its trust policy, which asks for the account and
 * the ARN it is used for; no roles of other accounts.
 * Assumed: it is tried when a configuration is made or changed, and the text. The role for post-call analytics is not: Transcribe
 * would assume it when a call has ended.
 * @throws BadRequestException there is no such role, or the service may not assume it
 */
export async function requireAccessRole({ tx, accountId, now }: Call, roleArn: string, configurationArn: string): Promise<void> {
  const role = await tx.identity.get(accountId, 'role', nameKey(nameOfArn(roleArn)));
  const source = [
    ['aws:sourceaccount', accountId],
    ['aws:sourcearn', configurationArn],
  ] as const;
  if (role?.arn !== roleArn || !serviceMayAssume(role, SERVICE, now, source)) {
    throw new AwsError('BadRequestException', `The role ${roleArn} cannot be assumed by ${SERVICE}.`);
  }
}
