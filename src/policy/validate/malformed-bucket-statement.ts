import type { PrincipalNode, StatementNode, TextNode } from '../document.ts';
import { type ReadOperator, readOperator } from '../operators.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { toRange } from '../values.ts';
import { datesAreDates } from './malformed-condition.ts';
import { PRINCIPAL_TYPES, type PrincipalElementType, principalProblem } from './malformed-values.ts';
import { type ActionReference, type AuthorizationReference, conditionKeysOf, keysOfAction } from './reference.ts';
import { globOf, hasWildcard } from './wildcards.ts';

export const SYNTAX = 'Invalid policy syntax.';
export const INVALID_PRINCIPAL = 'Invalid principal in policy';
export const INVALID_ACTION = 'Policy has invalid action';
export const INVALID_RESOURCE = 'Policy has invalid resource';

/** Facts for the checks of a statement in a bucket policy. */
export interface BucketChecks {
  readonly bucketName: string;
  readonly reference: AuthorizationReference;
  readonly budget: StepBudget;
}

type ResourceKind = 'bucket' | 'object';

/**
 * Returns S3's message about a statement of a bucket policy, or `undefined` if the statement is valid. Sources and
 * assumptions: `malformedBucketPolicy`.
 *
 * Assumed: a Deny may have NotPrincipal, an Allow may not. Source of the message: IAM, for role trust policies.
 */
export function bucketStatementProblem(statement: StatementNode, checks: BucketChecks): string | undefined {
  const { effect, action, notAction, resource, notResource, principal, notPrincipal } = statement;
  if (effect === undefined) return 'Missing required field Effect';
  if (effect.value !== 'Allow' && effect.value !== 'Deny') return `Invalid effect: ${effect.value}`;
  if (principal !== undefined && notPrincipal !== undefined) return SYNTAX;
  if (notPrincipal !== undefined && effect.value === 'Allow') return 'Allow with NotPrincipal is not allowed.';
  const ofPrincipal = principalElementProblem(principal ?? notPrincipal);
  if (ofPrincipal !== undefined) return ofPrincipal;

  if (action !== undefined && notAction !== undefined) return SYNTAX;
  const actions = action ?? notAction;
  if (actions === undefined) return 'Missing required field Action';
  const matched = actions.values.map(({ value }) => bucketActions(value, checks));
  if (matched.length === 0 || matched.some(({ length }) => length === 0)) return INVALID_ACTION;

  if (resource !== undefined && notResource !== undefined) return SYNTAX;
  const resources = resource ?? notResource;
  if (resources === undefined) return 'Missing required field Resource';
  if (resources.values.length === 0 || !resources.values.every((each) => isOfBucket(each, checks))) return INVALID_RESOURCE;

  const kinds = notResource === undefined ? kindsOf(resources.values) : BOTH_KINDS;
  const applying = matched.map((listed) => listed.filter((each) => typesOf(each).some((kind) => kinds.has(kind))));
  if (notAction === undefined && applying.some(({ length }) => length === 0)) {
    return 'Action does not apply to any resource(s) in statement';
  }
  return conditionProblem(statement, notAction === undefined ? applying : undefined, checks);
}

function principalElementProblem(principal: PrincipalNode | undefined): string | undefined {
  if (principal === undefined) return 'Missing required field Principal';
  if (principal.anyone) return undefined;
  if (principal.entries.length === 0) return 'Missing required field Principal cannot be empty!';
  for (const { key, values } of principal.entries) {
    const type = key.value as PrincipalElementType;
    if (!PRINCIPAL_TYPES.includes(type) || values.length === 0) return INVALID_PRINCIPAL;
    // `*` would trust every service or identity provider.
    if (type !== 'AWS' && values.some(({ value }) => value === '*')) return INVALID_PRINCIPAL;
    if (values.some(({ value }) => principalProblem(type, value) !== undefined)) return INVALID_PRINCIPAL;
  }
  return undefined;
}

/**
 * Actions on a bucket that a bucket policy cannot contain, in lower case, because the bucket does not exist yet.
 * Source: a comment in leo_s3 about the answer of S3, `Policy has invalid action`.
 */
const WITHOUT_BUCKET: ReadonlySet<string> = new Set(['createbucket']);

const OF_BUCKETS = new WeakMap<readonly ActionReference[], ReadonlyMap<string, ActionReference>>();

/** Returns the actions of S3 on buckets and objects, by their lower-case names. */
function allBucketActions({ actionsOf }: AuthorizationReference): ReadonlyMap<string, ActionReference> {
  const all = actionsOf('s3') ?? [];
  let known = OF_BUCKETS.get(all);
  if (known === undefined) {
    const named = all.map((action) => [action.name.toLowerCase(), action] as const);
    known = new Map(named.filter(([name, action]) => typesOf(action).length > 0 && !WITHOUT_BUCKET.has(name)));
    OF_BUCKETS.set(all, known);
  }
  return known;
}

/** Returns the actions on buckets and objects that a value of Action names. Its prefix and name ignore case. */
function bucketActions(value: string, { reference, budget }: BucketChecks): readonly ActionReference[] {
  const all = allBucketActions(reference);
  if (value === '*') return [...all.values()];
  const lower = value.toLowerCase();
  if (!lower.startsWith('s3:')) return [];
  const pattern = lower.slice('s3:'.length);
  if (!hasWildcard(pattern)) {
    const action = all.get(pattern);
    return action === undefined ? [] : [action];
  }
  const matches = globOf(pattern, budget);
  return [...all].filter(([name]) => matches(name)).map(([, action]) => action);
}

function typesOf({ resourceTypes }: ActionReference): readonly ResourceKind[] {
  return resourceTypes.map(({ type }) => type).filter((type): type is ResourceKind => type === 'bucket' || type === 'object');
}

const PREFIX = 'arn:aws:s3:::';
const BOTH_KINDS: ReadonlySet<ResourceKind> = new Set(['bucket', 'object']);

/** Reports whether a resource pattern can match the bucket or its objects. Assumed: the bucket's name cannot be a variable. */
function isOfBucket({ value }: TextNode, { bucketName, budget }: BucketChecks): boolean {
  if (!value.startsWith(PREFIX)) return false;
  const [name = ''] = value.slice(PREFIX.length).split('/', 1);
  return hasWildcard(name) ? !name.includes('$') && globOf(name, budget)(bucketName) : name === bucketName;
}

/** Returns the kinds of resources that the patterns can match. `*` also matches the slash before an object's key. */
function kindsOf(resources: readonly TextNode[]): ReadonlySet<ResourceKind> {
  const kinds = new Set<ResourceKind>();
  for (const { value } of resources) {
    const path = value.slice(PREFIX.length);
    if (!path.includes('/')) kinds.add('bucket');
    if (path.includes('/') || path.includes('*')) kinds.add('object');
  }
  return kinds;
}

/**
 * Returns the message about the conditions. Every operator and every key outside `aws:` must be known to S3. A key of S3 must apply
 * to each action that the statement lists, and for a pattern to at least one of its actions.
 *
 * `applying` has the actions of each value of Action. It is `undefined` for NotAction, whose actions are not checked.
 * Source: `malformedBucketPolicy`; users' reports of `Conditions do not apply …` for `s3:prefix` with ListBucket and GetObject.
 * Assumed: names of operators are case-sensitive, unlike in policies of IAM.
 */
function conditionProblem(
  statement: StatementNode,
  applying: readonly (readonly ActionReference[])[] | undefined,
  { reference, budget }: BucketChecks,
): string | undefined {
  for (const { operator: name, tests } of statement.condition?.blocks ?? []) {
    const read = readOperator(name.value);
    if (read === undefined || spelling(read) !== name.value) return `Invalid Condition type : ${name.value}`;
    for (const { key, values } of tests) {
      const lower = key.value.toLowerCase();
      if (!lower.startsWith('aws:')) {
        if (!includesKey(conditionKeysOf(reference, 's3'), lower)) return 'Policy has an invalid condition key';
        for (const actions of applying ?? []) {
          takeSteps(budget, 1 + actions.length);
          if (!actions.some((action) => includesKey(keysOfAction(reference, action), lower))) {
            return 'Conditions do not apply to combination of actions and resources in statement';
          }
        }
      }
      if (read.operator.family === 'address' && !values.every(({ value }) => toRange(value) !== undefined)) {
        return 'Invalid IP address in Conditions';
      }
    }
  }
  return datesAreDates(statement) ? undefined : SYNTAX;
}

function spelling({ operator, quantifier, ifExists }: ReadOperator): string {
  return `${quantifier === 'single' ? '' : `${quantifier}:`}${operator.name}${ifExists ? 'IfExists' : ''}`;
}

const LOWER_KEYS = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

/** Reports whether a lower-case key is in a set of keys. A key of the set can end in a placeholder: `s3:ExistingObjectTag/${key}`. */
function includesKey(keys: ReadonlySet<string>, lower: string): boolean {
  let known = LOWER_KEYS.get(keys);
  if (known === undefined) {
    known = new Set([...keys].map((key) => key.toLowerCase().replace(/\/\$\{[^}]*\}$/, '/')));
    LOWER_KEYS.set(keys, known);
  }
  const slash = lower.indexOf('/');
  return known.has(lower) ? !lower.endsWith('/') : slash > 0 && slash < lower.length - 1 && known.has(lower.slice(0, slash + 1));
}
