import type { Brand } from './brand.ts';

/** Amazon Resource Name: `arn:partition:service:region:account-id:resource`. */
export type Arn = Brand<string, 'Arn'>;

/** ID of an AWS account: twelve digits. */
export type AccountId = Brand<string, 'AccountId'>;

/**
 * Account ID under which the server records requests that name no account and prove no identity.
 *
 * No account of a server has this ID, so no caller can look up these records.
 * `belfry trail unproven` prints them.
 */
export const NO_ACCOUNT = '000000000000' as AccountId;

/** Parts of an ARN, without the prefix `arn`. `resource` is everything after the fifth colon, including colons and slashes. */
export interface ArnParts {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly accountId: string;
  readonly resource: string;
}

const ACCOUNT_ID = /^[0-9]{12}$/;

/** Reports whether a string is an account ID: exactly twelve digits. */
export function isAccountId(text: string): text is AccountId {
  return ACCOUNT_ID.test(text);
}

/**
 * Splits an ARN into its parts.
 *
 * Returns `undefined` if the string has no prefix `arn`, fewer than six parts, or an empty partition, service or resource.
 */
export function parseArn(text: string): ArnParts | undefined {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < 5; i++) {
    const colon = text.indexOf(':', from);
    if (colon < 0) return undefined;
    parts.push(text.slice(from, colon));
    from = colon + 1;
  }
  const resource = text.slice(from);
  const [scheme, partition, service, region, accountId] = parts as [string, string, string, string, string];
  if (scheme !== 'arn' || partition === '' || service === '' || resource === '') return undefined;
  return { partition, service, region, accountId, resource };
}

/** Reports whether a text is the ARN of an IAM role, or a pattern of such ARNs. Does not check the account and the name. */
export function isRoleArn(text: string): boolean {
  const parts = parseArn(text);
  return parts?.service === 'iam' && parts.resource.startsWith('role/');
}

/** Reports whether the ARN of an IAM role is that of a service-linked role. Source: IAM User Guide, "Create a service-linked role": the path. */
export function isServiceLinkedRoleArn(text: string): boolean {
  return text.includes(':role/aws-service-role/');
}

/**
 * Returns the account ID of an ARN without splitting the other parts. The result equals `parseArn(text)?.accountId`.
 */
export function accountIdOf(text: string): string | undefined {
  if (!text.startsWith('arn:')) return undefined;
  const service = text.indexOf(':', 4) + 1;
  const region = service > 0 ? text.indexOf(':', service) + 1 : 0;
  const account = region > 0 ? text.indexOf(':', region) + 1 : 0;
  const resource = account > 0 ? text.indexOf(':', account) + 1 : 0;
  // An ARN with an empty partition, service or resource is invalid.
  if (resource === 0 || service === 5 || region === service + 1 || resource === text.length) return undefined;
  return text.slice(account, resource - 1);
}

/**
 * Builds an ARN of the partition `aws`. Pass `''` as region or account ID if the ARNs of the service do not contain it.
 */
export function arn(service: string, region: string, accountId: string, resource: string): Arn {
  return `arn:aws:${service}:${region}:${accountId}:${resource}` as Arn;
}
