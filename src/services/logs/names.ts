/** ARNs of log groups and streams, the references of requests to log groups, and the permissions on them. */
import { type AccountId, type Arn, arn, isAccountId, parseArn } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { type TagContext, tagValues } from '../kit/tag-rules.ts';
import { invalidParameter, noSuchGroup } from './errors.ts';
import { type LogGroupRecord, logGroups } from './tables/groups.ts';

/** Name, account and region of a log group. */
export type GroupName = Pick<LogGroupRecord, 'accountId' | 'region' | 'name'>;

/** Members with which a request names a log group. */
export interface GroupReference {
  readonly logGroupName?: string;
  readonly logGroupIdentifier?: string;
}

type Place = Pick<Caller, 'accountId' | 'region'>;

/** Returns the ARN of a log group without a colon and an asterisk at its end, as in `logGroupArn`. */
export function groupArn({ accountId, region, name }: GroupName): Arn {
  return arn('logs', region, accountId, `log-group:${name}`);
}

/** Returns the ARN of a log stream, or of no stream of the group if `stream` is empty. */
export function streamArn(group: GroupName, stream: string): string {
  return `${groupArn(group)}:log-stream:${stream}`;
}

const NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/;

/**
 * Returns the log group that an ARN names.
 *
 * @throws InvalidParameterException  it is not the ARN of a log group. Assumed: the message
 */
export function parseGroupArn(text: string): GroupName {
  const parts = parseArn(text);
  const name = parts?.resource.startsWith('log-group:') ? parts.resource.slice('log-group:'.length) : '';
  if (parts?.service === 'logs' && isAccountId(parts.accountId) && parts.region !== '' && NAME.test(name)) {
    const group = { accountId: parts.accountId as AccountId, region: parts.region, name };
    if (groupArn(group) === text) return group;
  }
  throw invalidParameter(`'${text}' is not the ARN of a log group. Use the format arn:aws:logs:us-east-1:123456789012:log-group:my-group.`);
}

/**
 * Returns the log group that a request names by its name or its identifier, which is a name or an ARN.
 *
 * @throws InvalidParameterException  the request has both members or none, or an invalid identifier. Assumed: the messages
 * Source: CloudWatch Logs API reference, GetLogEvents: `logGroupName` or `logGroupIdentifier`, but not both.
 */
export function referencedGroup({ logGroupName, logGroupIdentifier }: GroupReference, { accountId, region }: Place): GroupName {
  if ((logGroupName === undefined) === (logGroupIdentifier === undefined)) {
    throw invalidParameter('Specify either logGroupName or logGroupIdentifier, but not both.');
  }
  const reference = (logGroupName ?? logGroupIdentifier) as string;
  if (logGroupIdentifier?.startsWith('arn:')) return parseGroupArn(reference);
  if (!NAME.test(reference)) throw invalidParameter(`'${reference}' is not the name of a log group.`);
  return { accountId, region, name: reference };
}

/**
 * Returns the permission on a log group, or on one of its streams.
 *
 * Recorded: public AccessDenied messages for CreateLogGroup and PutRetentionPolicy: `… on resource:
 * arn:aws:logs:us-east-2:111122223333:log-group:/ecs/api:log-stream:`. So a policy needs `log-group:NAME:*` for a group too.
 * Assumed: all operations on a group, except those on tags, are authorized with this ARN.
 */
export function onGroup(group: GroupName, stream = '', context: TagContext = []): DeclaredAccess {
  return {
    resources: [streamArn(group, stream)],
    resourceTags: (tx) => tagsOf(tx, group),
    ...(context.length > 0 && { context: new Map(context) }),
  };
}

/** Returns the permission for an operation on the tags of a log group. Source: logs 2014-03-28, LogGroup, arn: the ARN without `:*`. */
export function onGroupTags(group: GroupName, context: TagContext = []): DeclaredAccess {
  return { ...onGroup(group, '', context), resources: [groupArn(group)] };
}

/**
 * Returns the permission for an operation on all log groups of a region.
 *
 * Recorded: public AccessDenied messages for DescribeLogGroups: `… on resource: arn:aws:logs:us-east-1:111122223333:log-group::log-stream:`.
 */
export function onAllGroups({ accountId, region }: Place): DeclaredAccess {
  return { resources: [streamArn({ accountId, region, name: '' }, '')] };
}

async function tagsOf(tx: Tx, group: GroupName): Promise<readonly (Readonly<Record<string, string>> | undefined)[]> {
  const found = await tx.of(logGroups).get(group);
  return [found && tagValues(found.tags)];
}

/**
 * Returns a log group of the caller's account and region.
 *
 * @throws ResourceNotFoundException  it does not exist, or belongs to another account or region. Assumed: the latter
 */
export async function groupOrNotFound({ tx, accountId, region }: Place & { readonly tx: Tx }, name: GroupName): Promise<LogGroupRecord> {
  const group = name.accountId === accountId && name.region === region ? await tx.of(logGroups).get(name) : undefined;
  if (group === undefined) throw noSuchGroup();
  return group;
}
