import { takeSteps } from '../steps.ts';
import type { IssueCode } from './issues.ts';
import { actionsReached, type Reach, reachOf } from './match-action.ts';
import { type ActionReference, type AuthorizationReference, keysOfAction } from './reference.ts';
import { EVERY, type Hit, OF_IDENTITIES, type Rule } from './rule.ts';
import type { ConditionTestView, Place, PolicyView, StatementView } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/** Action that gives a service the permissions of a role. A statement for many roles indirectly allows all permissions of these roles. */
interface Powerful {
  readonly action: string;
  /** ARNs of two dissimilar roles. A resource pattern that matches both is too wide. */
  readonly probes: readonly [string, string];
  /** Condition key that can limit the permission. A statement that tests this key is not reported. */
  readonly narrowedBy: string;
}

const PASS_ROLE: Powerful = {
  action: 'iam:PassRole',
  probes: ['arn:aws:iam::111122223333:role/qx1', 'arn:aws:iam::111122223333:role/z/Y9'],
  narrowedBy: 'iam:passedtoservice',
};

/**
 * Permission to create service-linked roles.
 *
 * Assumed: a condition on `iam:AWSServiceName` limits CreateServiceLinkedRole as `iam:PassedToService` limits PassRole.
 * AWS's page names only `iam:PassedToService`.
 */
const CREATE_SLR: Powerful = {
  action: 'iam:CreateServiceLinkedRole',
  probes: [
    'arn:aws:iam::111122223333:role/aws-service-role/qx1.amazonaws.com/AWSServiceRoleForQx1',
    'arn:aws:iam::111122223333:role/aws-service-role/z.y9.amazonaws.com/Z',
  ],
  narrowedBy: 'iam:awsservicename',
};

type Resources = 'star' | 'notResource';

/** Rules about the permissions that a statement grants as a whole. */
// biome-ignore format: a table
export const PERMISSION_RULES: readonly Rule[] = [
  ...wide(PASS_ROLE, [
    ['PASS_ROLE_WITH_STAR_IN_RESOURCE',                'name',      'star'],
    ['PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE',     'wildcard',  'star'],
    ['PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION', 'notAction', 'star'],
    ['PASS_ROLE_WITH_NOT_RESOURCE',                    'name',      'notResource'],
    ['PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE', 'wildcard',  'notResource'],
    ['PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE',     'notAction', 'notResource'],
  ]),
  ...wide(CREATE_SLR, [
    ['CREATE_SLR_WITH_STAR_IN_RESOURCE',                'name',      'star'],
    ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE',     'wildcard',  'star'],
    ['CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION', 'notAction', 'star'],
    ['CREATE_SLR_WITH_NOT_RESOURCE',                    'name',      'notResource'],
    ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE', 'wildcard',  'notResource'],
    ['CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE',     'notAction', 'notResource'],
  ]),
  { code: 'DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',            policyTypes: EVERY, find: tagKeysWithoutEffect('Deny') },
  { code: 'ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',           policyTypes: EVERY, find: tagKeysWithoutEffect('Allow') },
  { code: 'DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',  policyTypes: EVERY, find: tagKeysWithNotAction('Deny') },
  { code: 'ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', policyTypes: EVERY, find: tagKeysWithNotAction('Allow') },
];

function wide(powerful: Powerful, forms: readonly (readonly [IssueCode, Reach['by'], Resources])[]): readonly Rule[] {
  return forms.map(([code, reach, resources]) => ({
    code,
    policyTypes: OF_IDENTITIES,
    find: ({ statements }) => statements.flatMap((statement) => wideHit(statement, powerful, reach, resources)),
  }));
}

function wideHit(statement: StatementView, { action, probes, narrowedBy }: Powerful, by: Reach['by'], resources: Resources): Hit[] {
  const reach = reachOf(statement, action);
  if (statement.effect !== 'Allow' || reach?.by !== by || statement.tests.some((test) => narrows(test, narrowedBy))) return [];
  const places: Place[] = [];
  if (resources === 'notResource') {
    if (statement.notResource !== undefined) places.push(statement.notResource);
  } else {
    places.push(...(statement.resource?.items.filter(({ value, matches }) => hasWildcard(value) && probes.every(matches)) ?? []));
  }
  return places.length === 0 ? [] : [{ at: [...reach.places, ...places] }];
}

/**
 * Reports whether a test limits the services that receive a role. Recorded: a test with `IfExists` also limits them.
 */
function narrows({ key, read }: ConditionTestView, narrowedBy: string): boolean {
  return key.toLowerCase() === narrowedBy && read !== undefined && !read.operator.negated;
}

/**
 * Returns the reference's name of a test's condition key, such as `aws:RequestTag/${TagKey}`. The reference is the
 * service authorization reference. Returns `undefined` if the condition key is not about tags.
 */
function tagKeyOf({ key, known, read }: ConditionTestView): string | undefined {
  if (known === undefined || read === undefined) return undefined;
  return /^(aws:(resourcetag|requesttag)\/|aws:tagkeys$|iam:resourcetag\/)/i.test(key) ? known.key : undefined;
}

/**
 * Reports whether a test can hold for a request without the test's key. Such a test also holds for actions that do not
 * support the key.
 */
function holdsWithoutKey({ read, items }: ConditionTestView): boolean {
  if (read === undefined) return false;
  if (read.operator.family === 'null') return items.some(({ value }) => value.toLowerCase() === 'true');
  if (read.quantifier !== 'single') return read.quantifier === 'ForAllValues';
  return read.ifExists || read.operator.negated;
}

/**
 * Reports statements that have no effect for some of their actions, because these actions do not support the tag
 * condition key.
 *
 * For Chime, one action that does not support the key is enough. Half of Chime's actions (the classic ones) do not
 * support tags, so a tag condition on `chime:*` is misleading. For other services, the rule follows AWS's check. It
 * reports a statement only if none of its actions supports the key.
 *
 * Source: requirement TAG-2 and TAG-3; IAM User Guide, the four checks whose code ends in
 * `WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE`.
 */
function tagKeysWithoutEffect(effect: 'Allow' | 'Deny'): Rule['find'] {
  return function* (view: PolicyView) {
    const { statements, reference, budget } = view;
    for (const statement of statements) {
      if (statement.effect !== effect || statement.action === undefined) continue;
      const reached = Map.groupBy(actionsReached(statement, view), ({ prefix }) => prefix);
      for (const test of statement.tests) {
        const key = tagKeyOf(test);
        if (key === undefined || holdsWithoutKey(test)) continue;
        for (const actions of reached.values()) takeSteps(budget, actions.length);
        const prefixes = [...reached].filter(([prefix, actions]) => lacks(prefix, actions, key, reference)).map(([prefix]) => prefix);
        if (prefixes.length > 0) yield { at: [statement.action, test.keyPlace], parts: [test.key, prefixes.join(', ')] };
      }
    }
  };
}

function lacks(prefix: string, actions: readonly ActionReference[], key: string, reference: AuthorizationReference): boolean {
  const without = actions.filter((action) => !keysOfAction(reference, action).has(key));
  return prefix === 'chime' ? without.length > 0 : without.length === actions.length;
}

function tagKeysWithNotAction(effect: 'Allow' | 'Deny'): Rule['find'] {
  return function* ({ statements }: PolicyView) {
    for (const { effect: statementEffect, notAction, tests } of statements) {
      if (statementEffect !== effect || notAction === undefined) continue;
      for (const test of tests) {
        if (tagKeyOf(test) !== undefined && !holdsWithoutKey(test)) yield { at: [notAction, test.keyPlace], parts: [test.key] };
      }
    }
  };
}
