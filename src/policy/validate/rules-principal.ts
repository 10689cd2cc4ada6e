import { PRINCIPAL_TYPES, principalProblem } from './malformed-values.ts';
import { type Hit, type Rule, SERVICE_FORMAT, WITH_PRINCIPAL } from './rule.ts';
import { type Item, memberPlace, type Place, type PolicyView, type PrincipalView, type StatementView, type Texts } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/** Rules about Principal and NotPrincipal. */
// biome-ignore format: a table
export const PRINCIPAL_RULES: readonly Rule[] = [
  { code: 'UNSUPPORTED_PRINCIPAL',             policyTypes: ['identity', 'boundary', 'session'], find: (view) => present(view, ['Principal', 'NotPrincipal'], ['IDENTITY_POLICY']) },
  { code: 'SCP_SYNTAX_ERROR_PRINCIPAL',        policyTypes: ['service-control'], find: (view) => present(view, ['Principal', 'NotPrincipal'], []) },
  { code: 'ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL', policyTypes: ['trust'], find: (view) => present(view, ['NotPrincipal'], []) },
  { code: 'ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE',     policyTypes: ['trust'], find: (view) => present(view, ['Resource', 'NotResource'], []) },
  { code: 'ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', policyTypes: ['trust'], find: (view) => view.statements.flatMap(({ principal }) => (principal?.anyone === true ? [{ at: principal }] : [])) },
  { code: 'INVALID_PRINCIPAL_FORMAT',          policyTypes: WITH_PRINCIPAL, find: malformedPrincipals },
  { code: 'INVALID_PRINCIPAL_KEY',             policyTypes: WITH_PRINCIPAL, find: (view) => entries(view).filter(({ name }) => !isType(name)).map(({ keyPlace, name }) => ({ at: keyPlace, parts: [name] })) },
  { code: 'EMPTY_OBJECT_PRINCIPAL',            policyTypes: WITH_PRINCIPAL, find: emptyPrincipals },
  { code: 'EMPTY_ARRAY_PRINCIPAL',             policyTypes: WITH_PRINCIPAL, find: (view) => entries(view).filter(({ items, span }) => items.length === 0 && span.end - span.start >= 2).map((at) => ({ at })) },
  { code: 'UNSUPPORTED_WILDCARD_IN_PRINCIPAL', policyTypes: WITH_PRINCIPAL, find: wildcards },
  { code: 'INVALID_SERVICE_PRINCIPAL_FORMAT',  policyTypes: WITH_PRINCIPAL, find: (view) => named(view, 'Service').filter((item) => !hasWildcard(item.value) && principalProblem('Service', item.value) !== undefined).map((at) => ({ at, parts: [SERVICE_FORMAT] })) },
  { code: 'INVALID_ROLE_REFERENCE',            policyTypes: WITH_PRINCIPAL, find: (view) => named(view, 'AWS').filter(({ value }) => value.startsWith('AROA')).map((at) => ({ at, parts: [at.value] })) },
  { code: 'INVALID_USER_REFERENCE',            policyTypes: WITH_PRINCIPAL, find: (view) => named(view, 'AWS').filter(({ value }) => value.startsWith('AIDA')).map((at) => ({ at, parts: [at.value] })) },
  { code: 'FEDERATED_PRINCIPAL_NOT_SUPPORTED', policyTypes: ['resource'], find: (view) => named(view, 'Federated').map((at) => ({ at })) },
  { code: 'ALLOW_WITH_NOT_PRINCIPAL',          policyTypes: WITH_PRINCIPAL, find: (view) => principals(view, 'Allow').filter(({ name }) => name === 'NotPrincipal').map((at) => ({ at })) },
  { code: 'REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY', policyTypes: ['trust'], find: redundantSessions },
  { code: 'RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL', policyTypes: ['resource'], find: unrestrictedServices },
  { code: 'UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', policyTypes: WITH_PRINCIPAL, find: keysOfCallers },
  { code: 'RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', policyTypes: WITH_PRINCIPAL, find: weakSources },
  { code: 'MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY',  policyTypes: ['trust'], find: rolesAnywhere },
];

function present({ statements }: PolicyView, names: readonly string[], parts: readonly string[]): Hit[] {
  return statements.flatMap(({ node, path }) =>
    names
      .map((name) => memberPlace(node.node, name, path))
      .filter((at) => at !== undefined)
      .map((at) => ({ at, parts })),
  );
}

function principals({ statements }: PolicyView, effect?: 'Allow'): readonly PrincipalView[] {
  return statements
    .filter((statement) => effect === undefined || statement.effect === effect)
    .flatMap(({ principal }) => (principal === undefined ? [] : [principal]));
}

function entries(view: PolicyView): readonly (Texts & { readonly keyPlace: Place })[] {
  return principals(view).flatMap((principal) => principal.entries);
}

function named(view: PolicyView, type: string): readonly Item[] {
  return entries(view)
    .filter(({ name }) => name === type)
    .flatMap(({ items }) => items);
}

function isType(name: string): boolean {
  return (PRINCIPAL_TYPES as readonly string[]).includes(name);
}

/** Reports a principal that is neither `*` nor an object, and invalid `AWS` values such as a name or a group. */
function* malformedPrincipals(view: PolicyView): Iterable<Hit> {
  for (const { node, path, principal } of view.statements) {
    for (const name of ['Principal', 'NotPrincipal'] as const) {
      const place = memberPlace(node.node, name, path);
      if (place !== undefined && principal === undefined) yield { at: place };
    }
  }
  for (const item of named(view, 'AWS')) {
    if (!hasWildcard(item.value) && principalProblem('AWS', item.value) !== undefined) yield { at: item };
  }
}

function emptyPrincipals(view: PolicyView): Hit[] {
  return principals(view)
    .filter(
      ({ isObject, entries: named, span }) =>
        isObject && named.length === 0 && (span as { members?: readonly unknown[] }).members?.length === 0,
    )
    .map((at) => ({ at }));
}

/** Reports every wildcard except `"AWS": "*"`, which means everyone. Source: IAM User Guide, "Principal". */
function* wildcards(view: PolicyView): Iterable<Hit> {
  for (const { name, items } of entries(view)) {
    for (const item of items) {
      if (hasWildcard(item.value) && !(name === 'AWS' && item.value === '*')) yield { at: item, parts: [name] };
    }
  }
}

/** Reports `assumed-role/R/s` next to `role/R`, because `role/R` already matches every session of the role. */
function* redundantSessions({ statements }: PolicyView): Iterable<Hit> {
  for (const { principal } of statements) {
    const items = principal?.entries.flatMap((entry) => entry.items) ?? [];
    // A session's ARN does not contain the role's path.
    const roles = new Map(
      items
        .filter(({ value }) => value.includes(':role/'))
        .map(({ value }) => [`${value.split(':')[4]}/${value.slice(value.lastIndexOf('/') + 1)}`, value]),
    );
    for (const item of items) {
      const fields = item.value.split(':');
      const [kind, roleName] = (fields[5] ?? '').split('/');
      const role = kind === 'assumed-role' ? roles.get(`${fields[4]}/${roleName}`) : undefined;
      if (role !== undefined) yield { at: item, parts: [item.value, role] };
    }
  }
}

const SOURCES: ReadonlySet<string> = new Set(['aws:sourcearn', 'aws:sourceaccount', 'aws:sourceorgid', 'aws:sourceorgpaths']);

function serviceItems({ principal }: StatementView): readonly Item[] {
  return principal?.entries.filter(({ name }) => name === 'Service').flatMap(({ items }) => items) ?? [];
}

/**
 * Reports a service principal without a condition on the source, which allows the confused deputy problem.
 *
 * Assumed: AWS excludes some resource types from this check, but not event buses, the only type with a resource policy here.
 */
function* unrestrictedServices({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements) {
    const services = serviceItems(statement);
    if (statement.effect !== 'Allow' || services.length === 0) continue;
    if (!statement.tests.some(({ key }) => SOURCES.has(key.toLowerCase()))) yield { at: services };
  }
}

/** Condition keys about users and roles. They are absent if a service makes the call. */
const CALLER_KEYS: ReadonlySet<string> = new Set([
  'aws:username',
  'aws:userid',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:principalarn',
  'aws:principalaccount',
]);

function onlyServices({ principal }: StatementView): boolean {
  return principal?.name === 'Principal' && principal.entries.length > 0 && principal.entries.every(({ name }) => name === 'Service');
}

function* keysOfCallers({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements) {
    if (statement.effect !== 'Allow' || !onlyServices(statement)) continue;
    const found = statement.tests.filter(({ key, read }) => CALLER_KEYS.has(key.toLowerCase()) && read?.operator.family !== 'null');
    const keys = new Set(found.map(({ key }) => key));
    if (keys.size > 0) yield { at: found.map(({ keyPlace }) => keyPlace), parts: [[...keys].join(', ')] };
  }
}

/** Condition keys about the network and the client of the caller. They do not identify the account for which a service calls. */
const WEAK_SOURCES: ReadonlySet<string> = new Set(['aws:sourceip', 'aws:vpcsourceip', 'aws:sourcevpc', 'aws:sourcevpce', 'aws:referer']);

function* weakSources({ statements }: PolicyView): Iterable<Hit> {
  for (const statement of statements) {
    const [service] = serviceItems(statement);
    if (statement.effect !== 'Allow' || service === undefined || !onlyServices(statement)) continue;
    for (const { key, keyPlace } of statement.tests) {
      if (WEAK_SOURCES.has(key.toLowerCase())) yield { at: keyPlace, parts: [service.value.split('.', 1)[0] ?? '', key] };
    }
  }
}

const ROLES_ANYWHERE_NEEDS = ['sts:assumerole', 'sts:setsourceidentity', 'sts:tagsession'] as const;

function* rolesAnywhere({ statements }: PolicyView): Iterable<Hit> {
  const trusting = statements.filter(
    (statement) => statement.effect === 'Allow' && serviceItems(statement).some(({ value }) => value === 'rolesanywhere.amazonaws.com'),
  );
  const allowed = new Set(trusting.flatMap(({ action }) => action?.items.map(({ value }) => value.toLowerCase()) ?? []));
  const [first] = trusting;
  if (first !== undefined && ROLES_ANYWHERE_NEEDS.some((action) => !allowed.has(action))) yield { at: first.action ?? first };
}
