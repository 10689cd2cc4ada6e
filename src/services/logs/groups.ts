/** Operations on log groups: create, describe, delete, retention, and protection from deletion. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LogGroup, LogsApi } from '#model/generated/logs.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { Keyed } from '../kit/page.ts';
import { AwsError, invalidParameter, limitExceeded } from './errors.ts';
import { groupArn, groupOrNotFound, onAllGroups, onGroup, parseGroupArn } from './names.ts';
import { pageOf, pageOfStored } from './page.ts';
import { logDeletions } from './tables/deletions.ts';
import { type LogGroupRecord, logGroups } from './tables/groups.ts';
import { metricFilters } from './tables/metric-filters.ts';
import { subscriptionFilters } from './tables/subscription-filters.ts';
import { newGroupTags, requestGroupTags } from './tags.ts';

/** Maximum number of log groups of an account in a region. Assumed: the number. On AWS it is 1,000,000. */
const GROUPS_MAX = 10_000;

/** Allowed retentions in days. Source: CloudWatch Logs API reference, PutRetentionPolicy. */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/**
 * Operations on log groups.
 *
 * @throws ResourceNotFoundException  the group does not exist
 */
export const groupOperations = {
  /**
   * Creates a log group.
   *
   * @throws InvalidParameterException  the name begins with `aws/` · a KMS key is set, because this server has none · duplicate tags
   * @throws NotYetImplementedException  the class is not STANDARD
   * @throws ResourceAlreadyExistsException, LimitExceededException
   * Source: messages of public error reports. events.md §5: that of ResourceAlreadyExistsException.
   */
  CreateLogGroup: {
    access: ({ logGroupName, tags }, caller) => onGroup({ ...caller, name: logGroupName }, '', requestGroupTags(tags)),
    async handle(call, { logGroupName: name, kmsKeyId, tags, logGroupClass = 'STANDARD', deletionProtectionEnabled = false }) {
      const { accountId, region, tx, now } = call;
      if (name.startsWith('aws/')) throw invalidParameter('Log groups starting with AWS/ are reserved for AWS.');
      if (logGroupClass !== 'STANDARD') throw notYetImplemented(`CreateLogGroup with the class ${logGroupClass}`);
      if (kmsKeyId !== undefined) {
        const arn = groupArn({ accountId, region, name });
        throw invalidParameter(`The specified KMS key does not exist or is not allowed to be used with LogGroup '${arn}'`);
      }
      if ((await tx.of(logGroups).count(call, GROUPS_MAX)) >= GROUPS_MAX) throw limitExceeded();
      const added = await tx.of(logGroups).add({
        ...{ accountId, region, name, groupId: call.newId(), createdAt: now, deletionProtection: deletionProtectionEnabled },
        ...{ storedBytes: 0, tags: newGroupTags([], tags) },
      });
      if (added === 'exists') throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
      return {};
    },
  },

  /**
   * Returns log groups in the order of names.
   *
   * @throws InvalidParameterException  a prefix and a pattern, or a token of another request · an identifier is not the ARN of a group
   * Not supported: groups of linked accounts. The account has none.
   */
  DescribeLogGroups: {
    access: (_input, caller) => onAllGroups(caller),
    async handle(call, input) {
      const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern = '', accountIdentifiers = [], logGroupIdentifiers } = input;
      if (prefix !== '' && pattern !== '') {
        throw invalidParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
      }
      if (accountIdentifiers.some((each) => each !== call.accountId) || (input.logGroupClass ?? 'STANDARD') !== 'STANDARD') {
        return { logGroups: [] };
      }
      if (logGroupIdentifiers !== undefined) {
        const { records, rest } = pageOf(input, await namedGroups(call, logGroupIdentifiers));
        return { logGroups: await Promise.all(records.map((group) => shownGroup(call, group))), ...rest };
      }
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        async (after, limit) => (await call.tx.of(logGroups).list(call, prefix, after ?? '', limit)).map(keyed),
        ({ name }) => name.includes(pattern),
      );
      return { logGroups: await Promise.all(records.map((group) => shownGroup(call, group))), ...rest };
    },
  },

  /**
   * Deletes a log group. A sweep deletes its events later.
   *
   * @throws ValidationException  the group is protected. Assumed: the message
   */
  DeleteLogGroup: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    async handle(call, { logGroupName }) {
      const group = await groupOrNotFound(call, { ...call, name: logGroupName });
      if (group.deletionProtection) {
        throw new AwsError('ValidationException', `The log group ${group.name} has deletion protection enabled and cannot be deleted.`);
      }
      await call.tx.of(logGroups).remove(group);
      await call.tx.of(metricFilters).removeOfGroup(group.groupId);
      await call.tx.of(subscriptionFilters).removeOfGroup(group.groupId);
      await call.tx.of(logDeletions).add({ kind: 'group', id: group.groupId });
      return {};
    },
  },

  /**
   * Sets how long events are stored. Older events are invisible at once, and a sweep deletes them.
   *
   * @throws InvalidParameterException  the number of days is not one of the allowed. Assumed: the order of the days in the message
   */
  PutRetentionPolicy: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    async handle(call, { logGroupName, retentionInDays }) {
      if (!RETENTIONS.includes(retentionInDays)) {
        throw invalidParameter(
          `1 validation error detected: Value '${retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTIONS.join(', ')}]`,
        );
      }
      const group = await groupOrNotFound(call, { ...call, name: logGroupName });
      await call.tx.of(logGroups).setRetention({ ...group, retentionInDays });
      return {};
    },
  },

  DeleteRetentionPolicy: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    async handle(call, { logGroupName }) {
      const { accountId, region, name } = await groupOrNotFound(call, { ...call, name: logGroupName });
      await call.tx.of(logGroups).setRetention({ accountId, region, name });
      return {};
    },
  },

  PutLogGroupDeletionProtection: {
    access: ({ logGroupIdentifier }, caller) => onGroup(identified(logGroupIdentifier, caller)),
    async handle(call, { logGroupIdentifier, deletionProtectionEnabled }) {
      const group = await groupOrNotFound(call, identified(logGroupIdentifier, call));
      await call.tx.of(logGroups).setProtection({ ...group, deletionProtection: deletionProtectionEnabled });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

function identified(identifier: string, { accountId, region }: Pick<Call, 'accountId' | 'region'>) {
  return identifier.startsWith('arn:') ? parseGroupArn(identifier) : { accountId, region, name: identifier };
}

const keyed = (group: LogGroupRecord): Keyed<LogGroupRecord> => ({ key: group.name, record: group });

async function namedGroups(call: Call, identifiers: readonly string[]): Promise<readonly Keyed<LogGroupRecord>[]> {
  const found = new Map<string, LogGroupRecord>();
  for (const identifier of identifiers) {
    const name = identified(identifier, call);
    const group = name.accountId === call.accountId && name.region === call.region ? await call.tx.of(logGroups).get(name) : undefined;
    if (group !== undefined) found.set(group.name, group);
  }
  return [...found.values()].map(keyed);
}

/** Source: logs 2014-03-28, LogGroup; events.md §5: `arn` ends in `:*`, `logGroupArn` does not. */
async function shownGroup(call: Call, group: LogGroupRecord): Promise<LogGroup> {
  const { name, createdAt, retentionInDays, storedBytes, deletionProtection } = group;
  return {
    ...{ logGroupName: name, creationTime: createdAt, storedBytes, logGroupClass: 'STANDARD', logGroupArn: groupArn(group) },
    ...{ arn: `${groupArn(group)}:*`, metricFilterCount: (await call.tx.of(metricFilters).ofGroup(group.groupId)).length },
    ...omitUndefined({ retentionInDays }),
    deletionProtectionEnabled: deletionProtection,
  };
}
