/** Policy documents and their statements. */

/** Statement of a policy. */
export type Statement = Readonly<Record<string, unknown>>;

/** Returns a policy document with these statements. */
export function policy(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Returns an Allow statement. `more` adds members, such as `Condition`. */
export function allow(Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement {
  return { Effect: 'Allow', Action, Resource, ...more };
}

/** Returns a Deny statement. */
export function deny(Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement {
  return { ...allow(Action, Resource, more), Effect: 'Deny' };
}

/** Returns a statement of a trust policy that allows an account, a user or a role. */
export function trust(AWS: string, Action: string | readonly string[] = 'sts:AssumeRole', more: Statement = {}): Statement {
  return { Effect: 'Allow', Principal: { AWS }, Action, ...more };
}

/** Returns a statement of a trust policy that allows the users of an identity provider. */
export function trustProvider(
  Federated: string | undefined,
  Action: 'sts:AssumeRoleWithWebIdentity' | 'sts:AssumeRoleWithSAML' | readonly string[],
  more: Statement = {},
): Statement {
  return { Effect: 'Allow', Principal: { Federated }, Action, ...more };
}

/** Returns a statement of a trust policy that allows a service. */
export function trustService(Service: string, more: Statement = {}): Statement {
  return { Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', ...more };
}

/** Returns the ARN of an AWS managed policy. */
export const managed = (name: string) => `arn:aws:iam::aws:policy/${name}`;

/** Policy that allows everything. */
export const ALLOW_ALL = policy(allow('*'));
