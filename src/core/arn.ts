import type { Brand } from './brand.ts';

/** `arn:partition:service:region:account-id:resource`. */
export type Arn = Brand<string, 'Arn'>;

/** Twelve digits. */
export type AccountId = Brand<string, 'AccountId'>;

/**
 * Account of requests that name no account and prove no identity. No account of a server has this id, so no caller can look
 * up its event history. `belfry trail unproven` prints it.
 */
export const NO_ACCOUNT = '000000000000' as AccountId;

/** The six parts of an ARN; `resource` is all that follows the fifth colon, colons and slashes included. */
export interface ArnParts {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly accountId: string;
  readonly resource: string;
}

const ACCOUNT_ID = /^[0-9]{12}$/;

/** Whether a text is an account id: exactly twelve digits. */
export function isAccountId(text: string): text is AccountId {
  return ACCOUNT_ID.test(text);
}

/** Takes an ARN apart; undefined where the text is none (no `arn:`, fewer than six parts, an empty resource). */
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

/** Joins an ARN of the partition `aws`; region and account may be empty where the service has none in its ARNs. */
export function arn(service: string, region: string, accountId: string, resource: string): Arn {
  return `arn:aws:${service}:${region}:${accountId}:${resource}` as Arn;
}
