import { takeSteps } from '../steps.ts';
import { principalProblem } from './malformed-values.ts';
import type { Hit, Rule } from './rule.ts';
import type { ConditionTestView, Item, PolicyView, StatementView } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/** Rules about trust in identity providers. */
// biome-ignore format: a table
export const FEDERATION_RULES: readonly Rule[] = [
  { code: 'INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY', policyTypes: ['trust'], find: malformedProviders },
  { code: 'MISMATCHED_ACTION_FOR_PRINCIPAL',             policyTypes: ['trust'], find: mismatchedActions },
  { code: 'MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL',    policyTypes: ['trust'], find: unconditionedProviders },
  { code: 'MISSING_GITHUB_REPO_CONDITION_KEY',           policyTypes: ['trust'], find: githubWithoutRepository },
  { code: 'SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', policyTypes: ['trust'], find: githubWithWildcard },
  { code: 'FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE',        policyTypes: ['trust'], find: (view) => audiences(view, true) },
  { code: 'CONFIRM_AUDIENCE_CLAIM_TYPE',                 policyTypes: ['trust'], find: (view) => audiences(view, false) },
];

const GITHUB = 'token.actions.githubusercontent.com';

/**
 * Identity providers whose audience claim has exactly one value. Source: the OpenID configuration documents of these
 * providers.
 */
const SINGLE_AUDIENCE: ReadonlySet<string> = new Set([
  GITHUB,
  'accounts.google.com',
  'cognito-identity.amazonaws.com',
  'www.amazon.com',
  'graph.facebook.com',
  'gitlab.com',
  'app.terraform.io',
]);

function providers({ principal }: StatementView): readonly Item[] {
  return principal?.entries.filter(({ name }) => name === 'Federated').flatMap(({ items }) => items) ?? [];
}

/** Returns the prefix of an OpenID Connect provider's condition keys (host and path), or `undefined` for a SAML provider. */
function issuerOf(principal: string): string | undefined {
  if (principal.includes(':saml-provider/')) return undefined;
  const infix = ':oidc-provider/';
  const at = principal.indexOf(infix);
  return at < 0 ? principal : principal.slice(at + infix.length);
}

function* malformedProviders({ statements }: PolicyView): Iterable<Hit> {
  for (const item of statements.flatMap(providers)) {
    if (item.value !== '*' && principalProblem('Federated', item.value) !== undefined) yield { at: item };
  }
}

type Kind = 'SAML' | 'OIDC' | 'AWS';

const ACTION_OF: Readonly<Record<Kind, string>> = {
  SAML: 'sts:AssumeRoleWithSAML',
  OIDC: 'sts:AssumeRoleWithWebIdentity',
  AWS: 'sts:AssumeRole',
};

function kindOf(entry: string, value: string): Kind | undefined {
  if (entry === 'Federated') return value.includes(':saml-provider/') ? 'SAML' : 'OIDC';
  return entry === 'AWS' || entry === 'Service' ? 'AWS' : undefined;
}

/**
 * Reports an action such as `sts:AssumeRoleWithSAML` if no principal of the statement can call this action. Source:
 * policy-engine hard point 57.
 */
function* mismatchedActions({ statements, budget }: PolicyView): Iterable<Hit> {
  for (const { principal, action, effect } of statements) {
    if (effect !== 'Allow' || principal === undefined || principal.anyone || principal.name === 'NotPrincipal') continue;
    const named = principal.entries.flatMap((entry) => entry.items.map((item) => ({ item, kind: kindOf(entry.name, item.value) })));
    if (named.length === 0 || named.some(({ kind }) => kind === undefined)) continue;
    for (const item of action?.items ?? []) {
      takeSteps(budget, named.length);
      const wanted = (Object.keys(ACTION_OF) as Kind[]).find((kind) => ACTION_OF[kind].toLowerCase() === item.value.toLowerCase());
      if (wanted === undefined || named.some(({ kind }) => kind === wanted)) continue;
      yield { at: [item, ...named.map((one) => one.item)], parts: [item.value, named.map((one) => one.item.value).join(', ')] };
    }
  }
}

function trustsWebIdentity({ effect, action, notAction }: StatementView): boolean {
  if (effect !== 'Allow') return false;
  return notAction !== undefined || (action?.items.some(({ matches }) => matches(ACTION_OF.OIDC.toLowerCase())) ?? false);
}

function testsOf({ tests }: StatementView, issuer: string): readonly ConditionTestView[] {
  const prefix = `${issuer.toLowerCase()}:`;
  return tests.filter(({ key }) => key.toLowerCase().startsWith(prefix));
}

function* unconditionedProviders({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements.filter(trustsWebIdentity)) {
    for (const item of providers(statement)) {
      const issuer = issuerOf(item.value);
      if (issuer !== undefined && issuer !== GITHUB && testsOf(statement, issuer).length === 0) yield { at: item };
    }
  }
}

/**
 * Returns the condition tests that limit the repository. Such a test reads a claim that names a repository, is not
 * negated, and fails if the claim is absent.
 */
function repositoryTests(statement: StatementView): readonly ConditionTestView[] {
  return testsOf(statement, GITHUB).filter(({ key, read }) => {
    const claim = key.slice(GITHUB.length + 1).toLowerCase();
    return (
      (claim === 'sub' || claim === 'job_workflow_ref') &&
      read !== undefined &&
      !read.operator.negated &&
      !read.ifExists &&
      read.quantifier !== 'ForAllValues'
    );
  });
}

/**
 * Reports trust in GitHub's provider without a condition on the repository.
 *
 * All GitHub users share this provider, so without the condition every repository can assume the role.
 *
 * Source: errors of CreateRole: "must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, …:sub or …:job_workflow_ref
 * which is not scoped to all".
 */
function* githubWithoutRepository({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements.filter(trustsWebIdentity)) {
    for (const item of providers(statement)) {
      if (issuerOf(item.value) !== GITHUB) continue;
      const scoped = repositoryTests(statement).some(({ items }) => items.length > 0 && items.every(({ value }) => !/^[*?]*$/.test(value)));
      if (!scoped) yield { at: item };
    }
  }
}

/**
 * Reports a wildcard in the repository or branch. A wildcard after the repository is not reported if another condition names the branch.
 *
 * Source: the explanation of the check: "You can specify the branch in that same value, or in a separate …:ref condition key."
 */
function* githubWithWildcard({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements.filter(trustsWebIdentity)) {
    const namesBranch = testsOf(statement, GITHUB).some(
      ({ key, read, items }) =>
        key.slice(GITHUB.length + 1).toLowerCase() === 'ref' &&
        read?.quantifier === 'single' &&
        !read.operator.negated &&
        !read.ifExists &&
        items.length > 0 &&
        !items.some(({ value }) => hasWildcard(value)),
    );
    for (const { items } of repositoryTests(statement)) {
      for (const item of items) {
        // `repo:owner/name:*` matches every branch, and `repo:owner/*` every repository of the owner.
        const [kind, repository = ''] = item.value.split(':', 2);
        if (namesBranch && kind === 'repo' && repository !== '' && !hasWildcard(repository)) continue;
        if (hasWildcard(item.value) && !/^[*?]*$/.test(item.value)) yield { at: item };
      }
    }
  }
}

/**
 * Reports set operators on an audience claim. With `forAnyValue`, reports `ForAnyValue` for providers whose audience
 * claim has exactly one value. Without `forAnyValue`, reports every other use of a set operator on an audience claim.
 * The author of the policy must confirm such a use.
 *
 * Recorded: a test of an audience claim without a set operator is not reported (AWS CLI, examples of validate-policy).
 */
function* audiences({ statements }: PolicyView, forAnyValue: boolean): Iterable<Hit> {
  for (const statement of statements.filter(trustsWebIdentity)) {
    for (const item of providers(statement)) {
      const issuer = issuerOf(item.value);
      if (issuer === undefined) continue;
      const single = SINGLE_AUDIENCE.has(issuer);
      for (const { key, keyPlace, read } of testsOf(statement, issuer)) {
        if (!key.toLowerCase().endsWith(':aud') || read === undefined) continue;
        if (read.quantifier === 'single' || (single && read.quantifier === 'ForAnyValue') !== forAnyValue) continue;
        yield { at: keyPlace, parts: forAnyValue ? [key] : ['aud', 'audience'] };
      }
    }
  }
}
