/**
 * What an operation of IAM acts upon, as `access` answers it: the ARN, the tags of it, and the condition keys of the request.
 *
 * Names alone do not tell the path in an ARN, so it is read. Where nothing has the name the path is `/`: whether a thing exists is
 * nobody's business before the action is allowed. Requirement TS-9.
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS IAM".
 */
import { arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { TagRecord } from '#store/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Caller } from '../operation.ts';
import * as rules from '../tag-rules.ts';
import { type HolderKind, nameOf } from './entities.ts';
import { iamArn, nameKey, nameOfArn } from './names.ts';

type Action = Access['action'];
type GivenTags = readonly { readonly Key: string; readonly Value: string }[];
export type Context = readonly (readonly [string, string | readonly string[]])[];

/** An action that no resource narrows. */
export function onAccount(action: Action, context: Context = []): Access {
  return { action, resources: ['*'], ...contextOf(context) };
}

/** A thing whose ARN the request gives, or which is being made. */
export function onArn(action: Action, resource: string, context: Context = []): Access {
  return { action, resources: [resource], ...contextOf(context) };
}

/**
 * A thing that is made. Where it is made with tags, tagging is asked for besides: who may only make it may not say whose it is.
 *
 * Source: IAM User Guide, "IAM: Create new users only with specific tags", which allows both.
 */
export function onMade(
  action: Action,
  tagging: Action,
  resource: string,
  tags: GivenTags | undefined,
  { context = [], called }: { readonly context?: Context; readonly called?: string } = {},
): Access | readonly Access[] {
  const asked = requestTags(tags);
  const made = { ...onArn(action, resource, [...asked, ...context]), ...(called !== undefined && { called }) };
  return asked.length === 0 ? made : [made, onArn(tagging, resource, asked)];
}

/** A list of users, groups or roles: of the path that is asked for. Source: as of `called` below, `… on resource: arn:aws:iam::…:user/`. */
export function onPath(action: Action, caller: Caller, kind: HolderKind, pathPrefix = '/'): Access {
  return onArn(action, iamArn(caller.accountId, kind, pathPrefix, ''));
}

/**
 * Actions whose refusals name the resource by its ARN even so.
 * Source: refusals of the real service as people report them: `iam:AttachUserPolicy on resource: user x`, `iam:GetRole on resource: role x`,
 * `iam:AddUserToGroup on resource: group x`, `iam:CreatePolicy on resource: policy x`, `iam:ListPolicies on resource: policy path /`,
 * `iam:TagRole on resource: arn:aws:iam::…:role/x`. Assumed: that all others about an entity are like those.
 */
const TAGGING = /^iam:(?:Tag|Untag)/;

/** A user, group or role by name. With `'boundary'`, `iam:PermissionsBoundary` is what bounds it now. */
export function onEntity(
  action: Action,
  caller: Caller,
  kind: HolderKind,
  name: string,
  context: Context = [],
  reads: 'boundary' | 'nothing' = 'nothing',
): Access {
  const { accountId } = caller;
  const unknown = iamArn(accountId, kind, '/', name);
  const read = (tx: Tx) => tx.identity.get(accountId, kind, nameKey(name));
  return {
    action,
    resources: [unknown],
    ...(!TAGGING.test(action) && { called: `${kind} ${name}` }),
    resolve: async (tx) => [(await read(tx))?.arn ?? unknown],
    ...contextOf(context),
    ...(kind === 'group'
      ? {}
      : {
          resourceTags: async (tx: Tx) => {
            const record = await read(tx);
            return [record !== undefined && 'tags' in record ? tagMap(record.tags) : undefined];
          },
        }),
    ...(reads === 'nothing' || kind === 'group'
      ? {}
      : {
          resolveContext: async (tx: Tx): Promise<ConditionContext> => {
            const record = await read(tx);
            const boundary = record !== undefined && 'permissionsBoundaryArn' in record ? record.permissionsBoundaryArn : undefined;
            return new Map(boundary === undefined ? [] : [['iam:permissionsboundary', boundary]]);
          },
        }),
  };
}

/**
 * The ARN that a user or group has after it is renamed or moved. A name that only moves keeps the case that it is stored in.
 *
 * Source: IAM API reference, UpdateUser and UpdateGroup: "permission on both source and target".
 */
export function onRenamed(
  action: Action,
  { accountId }: Caller,
  kind: 'user' | 'group',
  { name, newName, newPath }: { readonly name: string; readonly newName: string | undefined; readonly newPath: string | undefined },
): Access {
  return {
    action,
    resources: [iamArn(accountId, kind, newPath ?? '/', newName ?? name)],
    resolve: async (tx) => {
      const record = await tx.identity.get(accountId, kind, nameKey(name));
      return [iamArn(accountId, kind, newPath ?? record?.path ?? '/', newName ?? (record === undefined ? name : nameOf(record)))];
    },
  };
}

export const onUser = (action: Action, caller: Caller, name: string, context: Context = []): Access =>
  onEntity(action, caller, 'user', name, context);
export const onGroup = (action: Action, caller: Caller, name: string, context: Context = []): Access =>
  onEntity(action, caller, 'group', name, context);
export const onRole = (action: Action, caller: Caller, name: string, context: Context = []): Access =>
  onEntity(action, caller, 'role', name, context);

/**
 * A user by name, or the caller where no name is given.
 *
 * @throws AwsError ValidationError where no name is given and the caller is a role or a federated user
 */
export function onUserOrSelf(action: Action, caller: Caller, name: string | undefined, context: Context = []): Access {
  const user = userOrSelf(caller, name);
  return user === undefined ? onArn(action, arn('iam', '', caller.accountId, 'root'), context) : onUser(action, caller, user, context);
}

/** The user an operation is about: the one named, else the caller; undefined is the root of the account. */
export function userOrSelf(caller: Caller, name: string | undefined): string | undefined {
  if (name !== undefined) return name;
  const { principal } = caller;
  if (principal.type === 'IAMUser') return principal.userName;
  if (principal.type === 'Root') return undefined;
  throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
}

/** A managed policy by ARN. */
export function onPolicy(action: Action, caller: Caller, policyArn: string, context: Context = []): Access {
  return {
    action,
    resources: [policyArn],
    called: `policy ${policyArn}`,
    resourceTags: async (tx) => {
      const record = await tx.identity.get(caller.accountId, 'policy', nameKey(nameOfArn(policyArn)));
      return [record?.arn === policyArn ? tagMap(record.tags) : undefined];
    },
    ...contextOf(context),
  };
}

/** The keys of a request that gives tags. Source: IAM User Guide, "Controlling access during AWS requests". */
export function requestTags(tags: GivenTags | undefined): Context {
  return rules.requestTags(rules.TAG_RULES.iam, tags);
}

export function requestTagKeys(keys: readonly string[]): Context {
  return rules.requestTagKeys(keys);
}

export function boundaryKey(policyArn: string | undefined): Context {
  return policyArn === undefined ? [] : [['iam:permissionsboundary', policyArn]];
}

export function policyArnKey(policyArn: string): Context {
  return [['iam:policyarn', policyArn]];
}

/** Tags as `resourceTags` answers them. */
export function tagMap(tags: readonly TagRecord[]): Readonly<Record<string, string>> {
  return rules.tagValues(tags);
}

function contextOf(entries: Context): { readonly context?: ConditionContext } {
  return entries.length === 0 ? {} : { context: new Map(entries) };
}
