/** Statements of policies that allow too much: everything to a principal, or something to everyone. Configuration rules report them. */
import { isIP } from 'node:net';
import type { PolicyDocument, PrincipalNode, StatementNode, TextsNode } from '#policy/document.ts';
import { readPolicy } from '#policy/read.ts';

/** Patterns of actions that match every action. */
const EVERY_ACTION: ReadonlySet<string> = new Set(['*', '*:*']);

/**
 * Reports whether an Allow statement of a policy allows every action on every resource. Conditions are not considered.
 *
 * Source: AWS Config Developer Guide, "iam-policy-no-statements-with-admin-access": `"Effect": "Allow"` with `"Action": "*"` over
 * `"Resource": "*"`. Assumed: a statement with a condition counts, and `*:*` counts as `*`.
 */
export function allowsEverything(text: string): boolean {
  return allowStatements(text).some(
    ({ action, resource }) =>
      has(action, (value) => EVERY_ACTION.has(withoutRepeats(value))) && has(resource, (value) => withoutRepeats(value) === '*'),
  );
}

/** Returns a pattern in which each sequence of `*` is one `*`. `?*` is also `*`, because actions and resources are not empty. */
const withoutRepeats = (pattern: string): string => pattern.replace(/\?\*|\*\?/g, '*').replace(/\*+/g, '*');

/**
 * Returns the actions that the public statements of a resource-based policy name. A statement without `Action` has the pattern `*`. Returns
 * an empty list if the policy is not public.
 *
 * A statement is public if it allows something to everyone, and no condition limits it to fixed values.
 * Source: Amazon S3 User Guide, "Blocking public access", "The meaning of public". Assumed: the same holds for trust policies of roles, and
 * the condition keys of principals other than `aws:PrincipalOrgID`. A statement with `NotPrincipal` is public.
 */
export function publicActions(text: string): readonly string[] {
  return allowStatements(text)
    .filter((statement) => isForEveryone(statement) && !isLimited(statement))
    .flatMap(({ action }) => action?.values.map(({ value }) => value) ?? ['*']);
}

/** Returns the Allow statements of a valid policy. Stored policies are valid. */
function allowStatements(text: string): readonly StatementNode[] {
  const document: PolicyDocument | undefined = readPolicy(text).document;
  return (document?.statements ?? []).filter(({ effect }) => effect?.value === 'Allow');
}

function has(texts: TextsNode | undefined, matches: (value: string) => boolean): boolean {
  return texts?.values.some(({ value }) => matches(value)) ?? false;
}

/**
 * Reports whether a statement names everyone: `*`, or users of a public identity provider.
 * Source: the same page, first example of a public policy: `"Principal": { "Federated": "graph.facebook.com" }`.
 */
function isForEveryone({ principal, notPrincipal }: StatementNode): boolean {
  return notPrincipal !== undefined || (principal !== undefined && (principal.anyone || hasPublicEntry(principal)));
}

function hasPublicEntry({ entries }: PrincipalNode): boolean {
  return entries.some(({ key, values }) =>
    values.some(
      ({ value }) =>
        (key.value === 'AWS' && value.includes('*')) || (key.value === 'Federated' && PUBLIC_PROVIDERS.has(value.toLowerCase())),
    ),
  );
}

/** Identity providers where everyone can register. Source: IAM User Guide, "Principal", web identity providers. */
const PUBLIC_PROVIDERS: ReadonlySet<string> = new Set([
  'cognito-identity.amazonaws.com',
  'www.amazon.com',
  'graph.facebook.com',
  'accounts.google.com',
]);

/** Condition keys whose fixed values limit a statement, in lower case. */
const LIMITING: ReadonlySet<string> = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'aws:principalorgid',
  'aws:principalservicename',
  'aws:sourcearn',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:sourceowner',
  'aws:sourceaccount',
  'aws:sourceorgid',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:dataaccesspointarn',
  's3:dataaccesspointaccount',
]);

/**
 * Audience and subject of a token of an identity provider, without the name of the provider. Every identity pool of Amazon Cognito issues each
 * `amr`.
 * Source: IAM User Guide, "Creating a role for OIDC federation": a trust policy for Amazon Cognito needs the condition `aud`.
 */
const TOKEN_KEYS = ['aud', 'app_id', 'sub', 'user_id'] as const;

/** Operators that hold only for the listed values. With `IfExists` or `ForAllValues`, they also hold for an absent key. */
const LIMITING_OPERATOR = /^(?:ForAnyValue:)?(?:StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/;

/** Returns the keys of tokens that limit a statement, in lower case: those of its only principal. Other callers do not need such a token. */
function tokenKeys({ principal }: StatementNode): readonly string[] {
  const [provider, ...others] =
    principal?.entries.flatMap(({ key, values }) => values.map(({ value }) => [key.value, value] as const)) ?? [];
  if (provider === undefined || others.length > 0 || provider[0] !== 'Federated') return [];
  return TOKEN_KEYS.map((name) => `${provider[1].toLowerCase()}:${name}`);
}

function isLimited(statement: StatementNode): boolean {
  const ofToken = tokenKeys(statement);
  const { condition } = statement;
  return (condition?.blocks ?? []).some(({ operator, tests }) =>
    tests.some(({ key, values }) => {
      const name = key.value.toLowerCase();
      if (values.length === 0) return false;
      if (operator.value === 'IpAddress' && name === 'aws:sourceip') return values.every(({ value }) => isNarrow(value));
      if (!LIMITING_OPERATOR.test(operator.value)) return false;
      if (name === 'aws:userid') return values.every(({ value }) => isFixed(value));
      if (name === 's3:dataaccesspointarn') return values.every(({ value }) => isFixed(value.split(':')[4] ?? '*'));
      return (LIMITING.has(name) || ofToken.includes(name)) && values.every(({ value }) => isFixed(value));
    }),
  );
}

/** Reports whether a value has no wildcard and no policy variable. */
function isFixed(value: string): boolean {
  return value !== '' && !/[*?]|\$\{/.test(value);
}

/** Reports whether a range of addresses is not broader than /8 for IPv4 and /32 for IPv6. */
function isNarrow(range: string): boolean {
  const [address = '', bits] = range.split('/');
  const version = isIP(address);
  return version !== 0 && (bits === undefined || Number(bits) >= (version === 4 ? 8 : 32));
}
