/** Outgoing messages for the targets of rules. */
import { parseArn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Target } from '#model/generated/events.ts';
import { ruleArn } from '#services/events/bus-names.ts';
import { parseJsonPath, valueAt } from '#services/events/json-path.ts';
import type { RuleRecord } from '#services/events/routing.ts';
import { type RoutedEvent, TargetInputTooLarge, targetInput } from '#services/events/target-input.ts';
import { laneOf, type NewMessage, type OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Failure } from '../outgoing/outcome.ts';
import { deadLetterOf } from '../outgoing/queue.ts';

/** Retry policy of a target without one. Source: EventBridge API reference, RetryPolicy. */
const RETRY = { attempts: 185, seconds: 86_400 } as const;

/** Event on its way to a target. */
export interface TargetEvent {
  readonly event: RoutedEvent;
  readonly rule: RuleRecord;
  readonly target: Target;
  /** Time at which the bus accepted the event. */
  readonly acceptedAt: Instant;
}

/** Returns the members that all messages for a target have. */
function messageFacts({ event, rule, target }: TargetEvent) {
  const arn = ruleArn(rule);
  const { accountId, region } = rule;
  const roleArn = target.RoleArn ?? rule.roleArn;
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  return {
    ...{ id: String(event.value['id']), accountId, region },
    sender: { service: 'events.amazonaws.com', sourceArn: arn, sourceAccount: accountId, ...(roleArn !== undefined && { roleArn }) },
    ...(deadLetterArn !== undefined && { deadLetter: { arn: deadLetterArn, attributes: { RULE_ARN: arn, TARGET_ARN: target.Arn } } }),
  };
}

/** Returns the dead letter of an event that cannot be sent. `undefined`: the target has no queue for it. */
export function deadLetterFor(to: TargetEvent, failure: Failure, now: Instant): NewMessage | undefined {
  return deadLetterOf({ ...messageFacts(to), body: to.event.text }, { attempts: 1, failure }, now);
}

/** Returns the message for a target, or its dead letter if the input is too large. `undefined`: neither is possible. */
export function targetMessage(to: TargetEvent, now: Instant): NewMessage | undefined {
  const { event, rule, target, acceptedAt } = to;
  const arn = ruleArn(rule);
  const outgoing = outgoingTarget(target, event);
  if (outgoing === undefined) return undefined;
  try {
    const { MaximumRetryAttempts: retries = RETRY.attempts, MaximumEventAgeInSeconds: seconds = RETRY.seconds } = target.RetryPolicy ?? {};
    return {
      ...messageFacts(to),
      lane: laneOf(arn, target.Id),
      ordered: false,
      target: outgoing,
      body: targetInput(target, event, { arn, name: rule.ruleName }, acceptedAt),
      createdAt: now,
      maximumAttempts: retries + 1,
      expiresAt: instant(now + seconds * 1_000),
    };
  } catch (error) {
    if (!(error instanceof TargetInputTooLarge)) throw error;
    return deadLetterFor(to, { code: 'SDK_CLIENT_ERROR', message: error.message }, now);
  }
}

function outgoingTarget(target: Target, event: RoutedEvent): OutgoingTarget | undefined {
  const { Arn: arn } = target;
  const parts = parseArn(arn);
  switch (parts?.service) {
    case 'sqs': {
      const MessageGroupId = target.SqsParameters?.MessageGroupId;
      return { kind: 'sqs', arn, ...(MessageGroupId !== undefined && { MessageGroupId }) };
    }
    case 'sns':
      return { kind: 'sns', arn };
    case 'lambda':
      return { kind: 'lambda', arn };
    case 'kinesis':
      return { kind: 'kinesis', arn, PartitionKey: partitionKey(target, event) };
    case 'logs':
      return { kind: 'logs', arn };
    case 'events': {
      if (!parts.resource.startsWith('api-destination/')) return undefined;
      const { PathParameterValues, HeaderParameters, QueryStringParameters } = target.HttpParameters ?? {};
      return {
        ...{ kind: 'apiDestination', arn },
        ...(PathParameterValues !== undefined && { PathParameterValues }),
        ...(HeaderParameters !== undefined && { HeaderParameters }),
        ...(QueryStringParameters !== undefined && { QueryStringParameters }),
      };
    }
    default:
      return undefined;
  }
}

/** Returns the partition key: the value of the path, or the ID of the event. Source: EventBridge API reference, KinesisParameters. */
function partitionKey({ KinesisParameters }: Target, { value }: RoutedEvent): string {
  const steps = KinesisParameters && parseJsonPath(KinesisParameters.PartitionKeyPath);
  const found = steps === undefined ? undefined : valueAt(value, steps);
  return (typeof found === 'string' ? found : (JSON.stringify(found) ?? String(value['id']))).slice(0, 256);
}
