/** Operations on the lifecycle configuration of a bucket. */
import { createHash } from 'node:crypto';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LifecycleRule as RuleInput } from '#model/generated/s3.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketOf, onBucket, refuseMembers } from './bucket-access.ts';
import { AwsError, invalidArgument, malformedXml, notImplemented } from './errors.ts';
import { buckets } from './tables/buckets.ts';
import type { LifecycleRule } from './tables/lifecycle-record.ts';

type Lifecycle = Pick<
  DeclaredOperations<'s3'>,
  'PutBucketLifecycleConfiguration' | 'GetBucketLifecycleConfiguration' | 'DeleteBucketLifecycle'
>;

/** Maximum number of rules. Source: S3 API Reference, PutBucketLifecycleConfiguration. */
const RULES_MAX = 1_000;
const ID_MAX = 255;

/** Operations on the lifecycle configuration of a bucket. */
export const LIFECYCLE_OPERATIONS: Lifecycle = {
  PutBucketLifecycleConfiguration: {
    access: (input) => onBucket(input),
    /**
     * Replaces the configuration. Only expiration of objects and removal of incomplete uploads exist.
     *
     * @throws NoSuchBucket, AccessDenied
     * @throws MalformedXML     no rules, or a rule with `Prefix` and `Filter`, or `Days` and `Date`
     * @throws NotImplemented   transitions, versions or tags
     * @throws InvalidArgument  an ID, a number of days or a date
     * @throws InvalidRequest   a rule without an action
     */
    async handle(call, input) {
      const { name } = await bucketOf(call, input);
      refuseMembers(input, { TransitionDefaultMinimumObjectSize: 'x-amz-transition-default-minimum-object-size' });
      const given = input.LifecycleConfiguration?.Rules ?? [];
      if (given.length === 0 || given.length > RULES_MAX) throw malformedXml();
      const rules = given.map(toRule);
      if (new Set(rules.map(({ id }) => id)).size < rules.length)
        throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule', 'ID', '');
      await call.tx.of(buckets).setLifecycle({ name, lifecycle: { rules } });
      return {};
    },
  },
  GetBucketLifecycleConfiguration: {
    access: (input) => onBucket(input),
    /** @throws NoSuchBucket, AccessDenied · NoSuchLifecycleConfiguration */
    async handle(call, input) {
      const { name, lifecycle } = await bucketOf(call, input);
      if (lifecycle === undefined)
        throw new AwsError('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', { BucketName: name });
      return { Rules: lifecycle.rules.map(fromRule) };
    },
  },
  DeleteBucketLifecycle: {
    access: (input) => onBucket(input),
    async handle(call, input) {
      const { name } = await bucketOf(call, input);
      await call.tx.of(buckets).setLifecycle({ name });
      return {};
    },
  },
};

/** Converts a rule of the request. A rule without an ID gets one that depends only on its content. */
function toRule(rule: RuleInput): LifecycleRule {
  const { ID, Expiration: expiration, AbortIncompleteMultipartUpload: abort, Status } = rule;
  refuseMembers(rule, {
    Transitions: 'Transition',
    NoncurrentVersionTransitions: 'NoncurrentVersionTransition',
    NoncurrentVersionExpiration: 'NoncurrentVersionExpiration',
  });
  if (ID !== undefined && ID.length > ID_MAX) throw invalidArgument(`ID length should not exceed allowed limit of ${ID_MAX}`, 'ID', ID);
  const selection = selectionOf(rule);
  if (expiration?.ExpiredObjectDeleteMarker !== undefined) throw notImplemented('ExpiredObjectDeleteMarker');
  const { Days: days, Date: date } = expiration ?? {};
  if (expiration !== undefined && (days === undefined) === (date === undefined)) throw malformedXml();
  if (days !== undefined && days < 1) throw invalidArgument("'Days' for Expiration action must be a positive integer", 'Days', days);
  if (date !== undefined && date % DAY_MS !== 0)
    throw invalidArgument("'Date' must be at midnight GMT", 'Date', new Date(date).toISOString());
  const abortDays = abort?.DaysAfterInitiation;
  if (abort !== undefined && (abortDays === undefined || abortDays < 1))
    throw invalidArgument(
      "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
      'DaysAfterInitiation',
      abortDays,
    );
  if (expiration === undefined && abort === undefined)
    throw new AwsError('InvalidRequest', 'At least one action needs to be specified in a rule');
  return {
    id: ID ?? createHash('sha256').update(JSON.stringify(rule)).digest('base64url').slice(0, 48),
    enabled: Status === 'Enabled',
    ...selection,
    ...omitUndefined({ days, dateMs: date, abortDays }),
  };
}

/** Returns the objects that a rule selects. @throws MalformedXML, NotImplemented */
function selectionOf({ Prefix, Filter }: RuleInput): Pick<LifecycleRule, 'prefix' | 'at' | 'greaterThan' | 'lessThan'> {
  if ((Prefix === undefined) === (Filter === undefined)) throw malformedXml();
  if (Prefix !== undefined) return { prefix: Prefix, at: 'Prefix' };
  const { And: and, ...single } = Filter ?? {};
  if (single.Tag !== undefined || and?.Tags !== undefined) throw notImplemented('Tag');
  const named = Object.values(single).filter((value) => value !== undefined);
  if (named.length > 1 || (and !== undefined && named.length > 0)) throw malformedXml();
  const { Prefix: prefix, ObjectSizeGreaterThan: greaterThan, ObjectSizeLessThan: lessThan } = and ?? single;
  const at = and !== undefined ? 'And' : prefix !== undefined ? 'Filter.Prefix' : 'Filter';
  return { prefix: prefix ?? '', at, ...omitUndefined({ greaterThan, lessThan }) };
}

function fromRule({ id, enabled, prefix, at, greaterThan, lessThan, days, dateMs, abortDays }: LifecycleRule): RuleInput {
  const sizes = omitUndefined({ ObjectSizeGreaterThan: greaterThan, ObjectSizeLessThan: lessThan });
  const filter =
    at === 'And'
      ? { And: { ...omitUndefined({ Prefix: prefix === '' ? undefined : prefix }), ...sizes } }
      : { ...omitUndefined({ Prefix: at === 'Filter.Prefix' ? prefix : undefined }), ...sizes };
  return {
    ID: id,
    Status: enabled ? 'Enabled' : 'Disabled',
    ...(at === 'Prefix' ? { Prefix: prefix } : { Filter: filter }),
    ...((days !== undefined || dateMs !== undefined) && {
      Expiration: omitUndefined({ Days: days, Date: dateMs === undefined ? undefined : instant(dateMs) }),
    }),
    ...(abortDays !== undefined && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortDays } }),
  };
}
