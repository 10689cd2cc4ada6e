/** The values of `AWS` in the principals of resource-based policies. This file reads no store, so that other threads can use it. */
import { arn, isAccountId } from '#core/arn.ts';

/**
 * Returns a stored policy as clients see it. `arnOf` returns the ARN of a unique ID, or `undefined` if the ID remains. An account ID becomes the
 * ARN of its root user.
 *
 * Source: hashicorp/awspolicyequivalence. It treats an account ID and the ARN of the root user as equal, because IAM
 * returns the ARN.
 */
export async function withArns(text: string, arnOf: (principal: string) => Promise<string | undefined>): Promise<string> {
  return mapAwsPrincipals(text, async (principal) =>
    isAccountId(principal) ? arn('iam', '', principal, 'root') : ((await arnOf(principal)) ?? principal),
  );
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Replaces the values of `AWS` in each `Principal` and `NotPrincipal` of a policy document. If no value changes,
 * returns the string that was passed, with its white space.
 */
export async function mapAwsPrincipals(text: string, replace: (principal: string) => Promise<string>): Promise<string> {
  let changed = false;
  const replaced = async (principal: Json): Promise<Json> => {
    if (typeof principal !== 'string') return principal;
    const now = await replace(principal);
    changed ||= now !== principal;
    return now;
  };
  const document = JSON.parse(text) as { readonly Statement?: Json };
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const mapped: Json[] = [];
  for (const statement of statements as readonly Json[]) {
    if (!isObject(statement)) {
      mapped.push(statement);
      continue;
    }
    const members: Record<string, Json> = { ...statement };
    for (const element of ['Principal', 'NotPrincipal']) {
      const principals = statement[element];
      if (!isObject(principals) || principals['AWS'] === undefined) continue;
      const aws = principals['AWS'];
      const list: Json[] = [];
      for (const principal of Array.isArray(aws) ? (aws as readonly Json[]) : [aws]) list.push(await replaced(principal));
      members[element] = { ...principals, AWS: Array.isArray(aws) ? list : (list[0] as Json) };
    }
    mapped.push(members);
  }
  if (!changed) return text;
  return JSON.stringify({ ...document, Statement: Array.isArray(document.Statement) ? mapped : (mapped[0] as Json) });
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
