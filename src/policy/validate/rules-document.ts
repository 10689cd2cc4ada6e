import type { JsonNode } from '../json-text.ts';
import { POLICY_QUOTAS, policySize } from './policy-size.ts';
import { EVERY, type Hit, OF_IDENTITIES, type Rule, WITH_PRINCIPAL, WITH_RESOURCE, WITHOUT_PRINCIPAL } from './rule.ts';
import { memberPlace, type Place, type PolicyView, type StatementView } from './view.ts';

/** Rules about the document and the elements of its statements. Other files have the rules about the values of the elements. */
// biome-ignore format: a table
export const DOCUMENT_RULES: readonly Rule[] = [
  { code: 'MISSING_VERSION',                             policyTypes: EVERY,               find: (view) => (view.document.version === undefined && versionPlace(view) === undefined ? [{ at: whole(view) }] : []) },
  { code: 'INVALID_VERSION',                             policyTypes: EVERY,               find: invalidVersion },
  { code: 'MISSING_STATEMENT',                           policyTypes: EVERY,               find: missingStatement },
  { code: 'MISSING_EFFECT',                              policyTypes: EVERY,               find: lacking('Effect') },
  { code: 'MISSING_ACTION',                              policyTypes: EVERY,               find: lacking('Action', 'NotAction') },
  { code: 'MISSING_RESOURCE',                            policyTypes: WITH_RESOURCE,       find: lacking('Resource', 'NotResource') },
  { code: 'MISSING_PRINCIPAL',                           policyTypes: WITH_PRINCIPAL,      find: lacking('Principal', 'NotPrincipal') },
  { code: 'INVALID_EFFECT',                              policyTypes: EVERY,               find: invalidEffect },
  { code: 'UNSUPPORTED_ELEMENT_COMBINATION',             policyTypes: EVERY,               find: combinations },
  { code: 'UNSUPPORTED_SID',                             policyTypes: EVERY,               find: (view) => sids(view).filter(({ value }) => !/^[0-9A-Za-z]*$/.test(value)).map((at) => ({ at })) },
  { code: 'EMPTY_SID_VALUE',                             policyTypes: EVERY,               find: (view) => sids(view).filter(({ value }) => value === '').map((at) => ({ at })) },
  { code: 'UNIQUE_SIDS_REQUIRED',                        policyTypes: [...WITHOUT_PRINCIPAL, 'trust'], find: repeatedSids },
  { code: 'UNIQUE_SIDS_RECOMMENDED',                     policyTypes: ['resource'],        find: repeatedSids },
  { code: 'EMPTY_ARRAY_ACTION',                          policyTypes: EVERY,               find: (view) => empty(view, ({ action, notAction }) => action ?? notAction) },
  { code: 'EMPTY_ARRAY_RESOURCE',                        policyTypes: WITH_RESOURCE,       find: (view) => empty(view, ({ resource, notResource }) => resource ?? notResource) },
  { code: 'EMPTY_OBJECT_CONDITION',                      policyTypes: EVERY,               find: emptyConditions },
  { code: 'REDUNDANT_STATEMENT',                         policyTypes: EVERY,               find: redundantStatements },
  { code: 'POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA',   policyTypes: OF_IDENTITIES,       find: (view) => tooLarge(view, POLICY_QUOTAS.inlineRole.characters, 1) },
  { code: 'POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA', policyTypes: ['trust'],           find: (view) => tooLarge(view, POLICY_QUOTAS.trust.characters) },
  { code: 'POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA',   policyTypes: ['resource'],        find: (view) => tooLarge(view, POLICY_QUOTAS.resource.characters) },
  { code: 'POLICY_SIZE_EXCEEDS_SCP_QUOTA',               policyTypes: ['service-control'], find: (view) => tooLarge(view, POLICY_QUOTAS.serviceControl.characters) },
];

function whole({ document }: PolicyView): Place {
  return { path: [], span: document.root };
}

function versionPlace({ document }: PolicyView): Place | undefined {
  return memberPlace(document.root, 'Version', []);
}

function* invalidVersion(view: PolicyView): Iterable<Hit> {
  const { version } = view.document;
  if (version === undefined || version.value === '2012-10-17' || version.value === '2008-10-17') return;
  yield { at: { path: [{ value: 'Version' }], span: version }, parts: [version.value] };
}

/**
 * Reports a missing or empty `Statement`. The parser also reports a missing `Statement`, but `validatePolicy` ignores
 * that problem, so that the result has only one finding.
 */
function* missingStatement(view: PolicyView): Iterable<Hit> {
  const place = memberPlace(view.document.root, 'Statement', []);
  if (place === undefined) yield { at: whole(view) };
  else if (view.document.statements.length === 0 && isEmptyList(place.span as JsonNode)) yield { at: place };
}

function isEmptyList(node: JsonNode): boolean {
  return node.kind === 'array' && node.items.length === 0;
}

function lacking(...names: readonly string[]): Rule['find'] {
  return function* (view) {
    for (const statement of view.statements) {
      if (!names.some((name) => memberPlace(statement.node.node, name, []) !== undefined)) yield { at: statement };
    }
  };
}

function* invalidEffect({ statements }: PolicyView): Iterable<Hit> {
  for (const { node, path, effect } of statements) {
    if (node.effect === undefined || effect !== undefined) continue;
    yield { at: { path: [...path, { value: 'Effect' }], span: node.effect }, parts: [node.effect.value] };
  }
}

function* combinations({ statements }: PolicyView): Iterable<Hit> {
  for (const { node, path } of statements) {
    for (const name of ['Action', 'Resource', 'Principal']) {
      const plain = memberPlace(node.node, name, path);
      const negated = memberPlace(node.node, `Not${name}`, path);
      if (plain !== undefined && negated !== undefined) yield { at: [plain, negated], parts: [name, `Not${name}`] };
    }
  }
}

function sids({ statements }: PolicyView): readonly (Place & { readonly value: string })[] {
  return statements.flatMap(({ node, path }) =>
    node.sid === undefined ? [] : [{ path: [...path, { value: 'Sid' }], span: node.sid, value: node.sid.value }],
  );
}

function* repeatedSids(view: PolicyView): Iterable<Hit> {
  const byValue = Map.groupBy(
    sids(view).filter(({ value }) => value !== ''),
    ({ value }) => value,
  );
  for (const places of byValue.values()) {
    if (places.length > 1) yield { at: places };
  }
}

function empty(
  view: PolicyView,
  element: (statement: StatementView) => (Place & { readonly items: readonly unknown[] }) | undefined,
): Hit[] {
  const places = view.statements.map(element);
  return places
    .filter((place) => place !== undefined && place.items.length === 0 && isEmptyList(place.span as JsonNode))
    .map((place) => ({ at: place as Place }));
}

function* emptyConditions({ statements }: PolicyView): Iterable<Hit> {
  for (const { condition, operators } of statements) {
    if (
      condition !== undefined &&
      operators.length === 0 &&
      (condition.span as JsonNode & { members?: readonly unknown[] }).members?.length === 0
    )
      yield { at: condition };
    for (const operator of operators) {
      if (operator.tests.length === 0 && (operator.span as JsonNode & { members?: readonly unknown[] }).members?.length === 0)
        yield { at: operator };
    }
  }
}

/** Reports statements that are equal except for their Sid and the order of their elements. */
function* redundantStatements({ statements }: PolicyView): Iterable<Hit> {
  const byMeaning = Map.groupBy(statements, ({ node }) =>
    canonical({ ...node.node, members: node.node.members.filter(({ name }) => name.value !== 'Sid') }),
  );
  for (const same of byMeaning.values()) {
    if (same.length > 1) yield { at: same };
  }
}

function canonical(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members
        .map(({ name, value }) => `${JSON.stringify(name.value)}:${canonical(value)}`)
        .sort()
        .join()}}`;
    case 'array':
      // In a policy, a list with one value means the same as the value.
      return node.items.length === 1 ? canonical(node.items[0] as JsonNode) : `[${node.items.map(canonical).sort().join()}]`;
    case 'string':
      return JSON.stringify(node.value);
    case 'number':
      return JSON.stringify(node.text);
    case 'boolean':
      return JSON.stringify(String(node.value));
    case 'null':
      return 'null';
  }
}

/**
 * Reports a policy with more characters than the quota. `counted` is added to the policy's number of characters.
 *
 * Recorded: identity policies of 6,492 and 9,170 characters are not reported, and those from 10,240 characters are. The
 * number in AWS's message is larger by one than the number of characters without white space.
 */
function tooLarge(view: PolicyView, characters: number, counted = 0): Hit[] {
  const size = policySize(view.document.text, view.policyType) + counted;
  return size > characters ? [{ at: whole(view), parts: [String(size), String(characters)] }] : [];
}
