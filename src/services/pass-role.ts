import type { Access } from './operation.ts';

/**
 * What the caller must be allowed besides where a role is handed to a service: to pass that role, to that service.
 * An operation that takes a role's ARN adds it to what it asks for.
 *
 * Requirement ROLE-15, TS-3. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
 */
export function onPassRole(roleArn: string, service: string): Access {
  return { action: 'iam:PassRole', resources: [roleArn], context: new Map([['iam:passedtoservice', service]]) };
}
