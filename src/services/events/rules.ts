/** Operations on rules. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EventsApi, PutRuleRequest, RuleState } from '#model/generated/events.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import type { TagContext } from '../kit/tag-rules.ts';
import { busOrNotFound, busToChange, type OnBus, onRule, ruleKey, ruleOrNotFound } from './bus-access.ts';
import { busKey, DEFAULT_BUS, ruleArn } from './bus-names.ts';
import { invalid, limitExceeded } from './errors.ts';
import { patternValues, requireCost, requirePattern } from './event-pattern.ts';
import { pageOfStored, readByName } from './page.ts';
import { nextTime, parseSchedule } from './schedule.ts';
import { eventBuses, type RuleRecord } from './tables/event-buses.ts';
import { newEventTags, requestEventTags, withTagResource } from './tags.ts';

/**
 * Maximum number of rules of a bus. Source: EventBridge User Guide, "Quotas": 300, which AWS raises to thousands on request.
 * Assumed: 2,000.
 */
const RULES_MAX = 2_000;

interface NamedRule extends OnBus {
  readonly Name: string;
}

const onNamedRule = (input: NamedRule, caller: Caller, context?: TagContext): DeclaredAccess =>
  onRule(ruleKey(input.Name, input, caller), context);

/**
 * Parts of an event pattern that are condition keys of PutRule.
 * Source: Service Authorization Reference, "Amazon EventBridge", PutRule.
 */
const PATTERN_KEYS = [
  ['events:source', ['source']],
  ['events:detail-type', ['detail-type']],
  ['events:detail.service', ['detail', 'service']],
  ['events:detail.eventtypecode', ['detail', 'eventTypeCode']],
  ['events:detail.useridentity.principalid', ['detail', 'userIdentity', 'principalId']],
] as const;

function patternContext(pattern: string | undefined): TagContext {
  return PATTERN_KEYS.flatMap(([key, path]) => {
    const values = pattern === undefined ? undefined : patternValues(pattern, path);
    return values === undefined ? [] : [[key, values] as const];
  });
}

export const ruleOperations = {
  /**
   * Creates a rule, or replaces its pattern, schedule, state, description and role. The targets and tags of an existing rule stay.
   *
   * @throws ValidationException           there is neither a pattern nor a schedule, a tag is invalid, the schedule is invalid or not on
   *   the default bus
   * @throws InvalidEventPatternException  the pattern is invalid
   * @throws ResourceNotFoundException     the bus does not exist
   * @throws LimitExceededException        the bus has 2,000 rules, or their patterns are too large together
   * Source: events 2015-10-07, PutRule; LocalStack, snapshots of its tests on AWS; moto's tests. Assumed: the order of the errors.
   */
  PutRule: {
    access: (input, caller) => {
      const context = [...patternContext(input.EventPattern), ...requestEventTags(input.Tags)];
      return withTagResource(onNamedRule(input, caller, context), input.Tags);
    },
    async handle(call, input) {
      const key = ruleKey(input.Name, input, call);
      const cost = requireTrigger(input, key.busName);
      const added = newEventTags([], input.Tags);
      const bus = await busToChange(call, key);
      const repository = call.tx.of(eventBuses);
      const before = await repository.rule(key);
      if (before === undefined && (await repository.countRules(key, RULES_MAX)) >= RULES_MAX) throw limitExceeded();
      requireCost(bus, cost, before?.cost);
      const { EventPattern, ScheduleExpression, Description, RoleArn, State = 'ENABLED' } = input;
      await repository.putRule({
        ...key,
        state: State,
        ...omitUndefined({
          eventPattern: EventPattern,
          scheduleExpression: ScheduleExpression,
          description: Description,
          roleArn: RoleArn,
        }),
        ...scheduled(call, State, ScheduleExpression),
        tags: before?.tags ?? added,
        createdAt: before?.createdAt ?? call.now,
        cost,
      });
      await repository.touch(key, { rules: before === undefined ? 1 : 0, cost: cost - (before?.cost ?? 0) });
      return { RuleArn: ruleArn(key) };
    },
  },

  /**
   * Deletes a rule. Ignores an unknown rule.
   *
   * @throws ResourceNotFoundException  the bus does not exist
   * @throws ValidationException        the rule has targets and the request has no Force
   * Source: LocalStack, snapshots of its tests on AWS; moto's tests, "Verified against AWS".
   * Assumed: Force also deletes the targets. AWS describes it only for rules that AWS services manage.
   */
  DeleteRule: {
    access: (input, caller) => onNamedRule(input, caller),
    async handle(call, input) {
      const key = ruleKey(input.Name, input, call);
      await busOrNotFound(call, key);
      const repository = call.tx.of(eventBuses);
      const rule = await repository.rule(key);
      if (rule === undefined) return {};
      if (!input.Force && (await repository.targets(key)).length > 0) throw invalid("Rule can't be deleted since it has targets.");
      await repository.removeRule(key);
      await repository.touch(key, { rules: -1, cost: -rule.cost });
      return {};
    },
  },

  /** Returns a rule. @throws ResourceNotFoundException  the bus or the rule does not exist */
  DescribeRule: {
    access: (input, caller) => onNamedRule(input, caller),
    async handle(call, input) {
      const rule = await ruleOrNotFound(call, ruleKey(input.Name, input, call));
      return { ...toRule(rule), CreatedBy: rule.accountId };
    },
  },

  /** Enables a rule. @throws ResourceNotFoundException  the bus or the rule does not exist */
  EnableRule: {
    access: (input, caller) => onNamedRule(input, caller),
    handle: (call, input) => setState(call, input, 'ENABLED'),
  },

  /** Disables a rule. @throws ResourceNotFoundException  the bus or the rule does not exist */
  DisableRule: {
    access: (input, caller) => onNamedRule(input, caller),
    handle: (call, input) => setState(call, input, 'DISABLED'),
  },

  /** Lists the rules of a bus in the order of names. @throws ResourceNotFoundException  the bus does not exist */
  ListRules: {
    async handle(call, input) {
      const key = busKey(input.EventBusName, call);
      await busOrNotFound(call, key);
      const read = (after: string, limit: number) => call.tx.of(eventBuses).listRules(key, after, limit);
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ ruleName }) => ruleName, input.NamePrefix),
      );
      return { Rules: records.map(toRule), ...rest };
    },
  },

  /** Lists the names of rules with a target. @throws ResourceNotFoundException  the bus does not exist */
  ListRuleNamesByTarget: {
    async handle(call, input) {
      const key = busKey(input.EventBusName, call);
      await busOrNotFound(call, key);
      const read = (after: string, limit: number) => call.tx.of(eventBuses).rulesWithTarget(key, input.TargetArn, after, limit);
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, (name) => name),
      );
      return { RuleNames: records, ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/** Checks the pattern and the schedule of a rule. Returns the cost of the pattern. */
function requireTrigger({ EventPattern, ScheduleExpression }: PutRuleRequest, busName: string): number {
  if (!EventPattern && !ScheduleExpression) throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
  if (ScheduleExpression) {
    if (busName !== DEFAULT_BUS) throw invalid('ScheduleExpression is supported only on the default event bus.');
    parseSchedule(ScheduleExpression);
  }
  return requirePattern(EventPattern);
}

async function setState(call: Call, input: NamedRule, state: RuleState): Promise<Record<string, never>> {
  const { scheduleAt: _, ...rule } = await ruleOrNotFound(call, ruleKey(input.Name, input, call));
  await call.tx.of(eventBuses).putRule({ ...rule, state, ...scheduled(call, state, rule.scheduleExpression) });
  await call.tx.of(eventBuses).touch(rule);
  return {};
}

/** Returns the time of the next scheduled event of a rule. */
function scheduled({ now }: Call, state: RuleState, expression: string | undefined): Pick<RuleRecord, 'scheduleAt'> {
  return omitUndefined({ scheduleAt: expression && state !== 'DISABLED' ? nextTime(parseSchedule(expression), now) : undefined });
}

function toRule(rule: RuleRecord) {
  return omitUndefined({
    Name: rule.ruleName,
    Arn: ruleArn(rule),
    EventPattern: rule.eventPattern,
    State: rule.state,
    Description: rule.description,
    ScheduleExpression: rule.scheduleExpression,
    RoleArn: rule.roleArn,
    EventBusName: rule.busName,
  });
}
