/**
 * Permissions that IAM operations require (`Access`): the resource ARN, its tags, and the condition keys of the request.
 *
 * A request contains a name, but an ARN also contains the path, so these functions read the path from the store. For an
 * unknown name, they use the path `/` and throw no error: only a caller that may perform the action may learn whether
 * the entity exists. Requirement TS-9.
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS IAM".
 */
import { arn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Access, Caller, DeclaredAccess } from '../kit/operation.ts';
import * as rules from '../kit/tag-rules.ts';
import { type HolderKind, nameOf } from './entities.ts';
import { AwsError } from './errors.ts';
import { iamArn, nameKey, nameOfArn } from './names.ts';

type RequestTags = readonly { readonly Key: string; readonly Value: string }[];
/** Condition keys of a request with their values. */
export type Context = readonly (readonly [string, string | readonly string[]])[];

/** Returns the permission for an action that has no resource type. Its resource is `*`. */
export function onAccount(context: Context = []): DeclaredAccess {
  return { resources: ['*'], ...contextOf(context) };
}

/** Returns the permission for an action on a resource whose ARN is in the request or follows from it. */
export function onArn(resource: string, context: Context = []): DeclaredAccess {
  return { resources: [resource], ...contextOf(context) };
}

/**
 * Returns the permission to create a resource. If the request contains tags, the tagging action on the new resource is also required.
 * Otherwise a caller without that permission could choose the tags that later decisions depend on.
 *
 * Source: IAM User Guide, "IAM: Create new users only with specific tags", which allows both actions.
 */
export function onCreated(
  tagging: Access['action'],
  resource: string,
  tags: RequestTags | undefined,
  { context = [], called }: { readonly context?: Context; readonly called?: string } = {},
): DeclaredAccess | readonly DeclaredAccess[] {
  const tagContext = requestTags(tags);
  const creation = { ...onArn(resource, [...tagContext, ...context]), ...omitUndefined({ called }) };
  return tagContext.length === 0 ? creation : [creation, { action: tagging, ...onArn(resource, tagContext) }];
}

/** Returns the permission to list entities under a path. Source: denials of the real service, `… on resource: arn:aws:iam::…:user/`. */
export function onPath(caller: Caller, kind: HolderKind, pathPrefix = '/'): DeclaredAccess {
  return onArn(iamArn(caller.accountId, kind, pathPrefix, ''));
}

/**
 * Returns the permission for an action on a user, group or role by name. If `reads` is `'boundary'`, the value of the
 * condition key `iam:PermissionsBoundary` is the current permissions boundary of the user or role.
 */
export function onEntity(
  caller: Caller,
  kind: HolderKind,
  name: string,
  context: Context = [],
  reads: 'boundary' | 'nothing' = 'nothing',
): DeclaredAccess {
  const { accountId } = caller;
  const defaultArn = iamArn(accountId, kind, '/', name);
  const read = (tx: Tx) => tx.identity.get(accountId, kind, nameKey(name));
  return {
    resources: [defaultArn],
    called: `${kind} ${name}`,
    resolve: async (tx) => [(await read(tx))?.arn ?? defaultArn],
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
 * Returns the permission to rename or move a user or group, with its new ARN as the resource. If only the path changes,
 * the new ARN contains the stored name. The name in the request may have different capitalization.
 *
 * Source: IAM API reference, UpdateUser and UpdateGroup: "permission on both source and target".
 */
export function onRenamed(
  { accountId }: Caller,
  kind: 'user' | 'group',
  { name, newName, newPath }: { readonly name: string; readonly newName: string | undefined; readonly newPath: string | undefined },
): DeclaredAccess {
  return {
    resources: [iamArn(accountId, kind, newPath ?? '/', newName ?? name)],
    resolve: async (tx) => {
      const record = await tx.identity.get(accountId, kind, nameKey(name));
      return [iamArn(accountId, kind, newPath ?? record?.path ?? '/', newName ?? (record === undefined ? name : nameOf(record)))];
    },
  };
}

/**
 * Returns the permission to add or remove tags of a user or role, by name. The error message of a denial contains the
 * ARN of the user or role. For other actions, the error message contains the kind and name instead.
 *
 * Source: denials of the real service in public reports: `iam:TagRole on resource: arn:aws:iam::…:role/x`, `iam:AttachUserPolicy on
 * resource: user x`, `iam:GetRole on resource: role x`, `iam:AddUserToGroup on resource: group x`, `iam:CreatePolicy on resource: policy x`,
 * `iam:ListPolicies on resource: policy path /`. Assumed: all other actions on an entity behave like the last five.
 */
export function onTagged(caller: Caller, kind: 'user' | 'role', name: string, context: Context): DeclaredAccess {
  const { called: _, ...access } = onEntity(caller, kind, name, context);
  return access;
}

/** Returns the permission for an action on a user, by name. */
export const onUser = (caller: Caller, name: string, context: Context = []): DeclaredAccess => onEntity(caller, 'user', name, context);
/** Returns the permission for an action on a group, by name. */
export const onGroup = (caller: Caller, name: string, context: Context = []): DeclaredAccess => onEntity(caller, 'group', name, context);
/** Returns the permission for an action on a role, by name. */
export const onRole = (caller: Caller, name: string, context: Context = []): DeclaredAccess => onEntity(caller, 'role', name, context);

/**
 * Returns the permission for an action on the named user or, without a name, on the caller.
 *
 * @throws ValidationError  no name is specified and the caller is neither an IAM user nor the root user
 */
export function onUserOrSelf(caller: Caller, name: string | undefined, context: Context = []): DeclaredAccess {
  const user = userOrSelf(caller, name);
  return user === undefined ? onArn(arn('iam', '', caller.accountId, 'root'), context) : onUser(caller, user, context);
}

/**
 * Returns the name that was passed or, without a name, the user name of the caller. Returns `undefined` if no name was
 * passed and the caller is the root user of the account.
 *
 * @throws ValidationError  no name is specified and the caller is neither an IAM user nor the root user
 */
export function userOrSelf(caller: Caller, name: string | undefined): string | undefined {
  if (name !== undefined) return name;
  const { principal } = caller;
  if (principal.type === 'IAMUser') return principal.userName;
  if (principal.type === 'Root') return undefined;
  throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
}

/** Returns the permission for an action on a managed policy, by ARN. */
export function onPolicy(caller: Caller, policyArn: string, context: Context = []): DeclaredAccess {
  return {
    resources: [policyArn],
    called: `policy ${policyArn}`,
    resourceTags: async (tx) => {
      const record = await tx.identity.get(caller.accountId, 'policy', nameKey(nameOfArn(policyArn)));
      return [record?.arn === policyArn ? tagMap(record.tags) : undefined];
    },
    ...contextOf(context),
  };
}

/** Returns the condition keys of a request that adds tags. Source: IAM User Guide, "Controlling access during AWS requests". */
export function requestTags(tags: RequestTags | undefined): Context {
  return rules.requestTags(rules.TAG_RULES.iam, tags);
}

/** Returns the condition keys of a request that removes tags. */
export function requestTagKeys(keys: readonly string[]): Context {
  return rules.requestTagKeys(keys);
}

/** Returns the condition key of a request that sets a permissions boundary. */
export function boundaryKey(policyArn: string | undefined): Context {
  return policyArn === undefined ? [] : [['iam:permissionsboundary', policyArn]];
}

/** Returns the condition key of a request that names a managed policy. */
export function policyArnKey(policyArn: string): Context {
  return [['iam:policyarn', policyArn]];
}

/** Converts tags to the form that `resourceTags` returns. */
export function tagMap(tags: readonly TagRecord[]): Readonly<Record<string, string>> {
  return rules.tagValues(tags);
}

function contextOf(entries: Context): { readonly context?: ConditionContext } {
  return entries.length === 0 ? {} : { context: new Map(entries) };
}
