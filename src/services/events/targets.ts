/** Operations on the targets of rules. */
import type { EventsApi, PutTargetsResultEntry, RemoveTargetsResultEntry } from '#model/generated/events.ts';
import type { Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import type { TagContext } from '../kit/tag-rules.ts';
import { type OnBus, onRule, ruleKey, ruleOrNotFound } from './bus-access.ts';
import { limitExceeded } from './errors.ts';
import { pageOfStored, readByName } from './page.ts';
import { eventBuses } from './tables/event-buses.ts';
import { checkTarget } from './target-checks.ts';

/** Maximum number of targets of a rule. Source: EventBridge User Guide, "Quotas". */
const TARGETS_MAX = 5;

interface OfRule extends OnBus {
  readonly Rule: string;
}

const onTargets = (input: OfRule, caller: Caller, context?: TagContext): DeclaredAccess =>
  onRule(ruleKey(input.Rule, input, caller), context);

export const targetOperations = {
  /**
   * Adds targets to a rule. A target with an ID of the rule replaces the present target. A target to which Belfry cannot deliver is in
   * FailedEntries, and is not added.
   *
   * @throws ValidationException        a target is invalid, see `checkTarget`
   * @throws ResourceNotFoundException  the bus or the rule does not exist
   * @throws LimitExceededException     the rule would have more than 5 targets
   * Source: events 2015-10-07, PutTargets; LocalStack, snapshots of its tests on AWS. Assumed: the order of the errors, and that a request
   * with an error changes nothing.
   */
  PutTargets: {
    access: (input, caller) => onTargets(input, caller, [['events:targetarn', [...new Set(input.Targets.map(({ Arn }) => Arn))]]]),
    async handle(call, input) {
      const key = ruleKey(input.Rule, input, call);
      const checked = input.Targets.map((target) => ({ target, failed: checkTarget(target, call) }));
      await ruleOrNotFound(call, key);
      const repository = call.tx.of(eventBuses);
      const added = checked.flatMap(({ target, failed }) => (failed === undefined ? [target] : []));
      const ids = new Set([...(await repository.targets(key)).map(({ targetId }) => targetId), ...added.map(({ Id }) => Id)]);
      if (ids.size > TARGETS_MAX) throw limitExceeded();
      for (const target of added) await repository.putTarget({ ...key, targetId: target.Id, targetArn: target.Arn, target });
      if (added.length > 0) await repository.touch(key);
      const FailedEntries = checked.flatMap(({ target, failed }): readonly PutTargetsResultEntry[] =>
        failed === undefined ? [] : [{ TargetId: target.Id, ErrorCode: 'NotYetImplementedException', ErrorMessage: failed.undeliverable }],
      );
      return { FailedEntryCount: FailedEntries.length, FailedEntries };
    },
  },

  /**
   * Removes targets from a rule. An unknown ID is in FailedEntries.
   *
   * @throws ResourceNotFoundException  the bus or the rule does not exist
   * Source: LocalStack's implementation and moto's tests of FailedEntries.
   */
  RemoveTargets: {
    access: (input, caller) => onTargets(input, caller),
    async handle(call, input) {
      const key = ruleKey(input.Rule, input, call);
      await ruleOrNotFound(call, key);
      const repository = call.tx.of(eventBuses);
      const FailedEntries: RemoveTargetsResultEntry[] = [];
      const ids = new Set(input.Ids);
      for (const id of ids) {
        if ((await repository.removeTarget(key, id)) === 'removed') continue;
        const ErrorMessage = `Rule '${key.ruleName}' does not have a target with the Id '${id}'.`;
        FailedEntries.push({ TargetId: id, ErrorCode: 'ResourceNotFoundException', ErrorMessage });
      }
      if (FailedEntries.length < ids.size) await repository.touch(key);
      return { FailedEntryCount: FailedEntries.length, FailedEntries };
    },
  },

  /** Lists the targets of a rule in the order of IDs. @throws ResourceNotFoundException  the bus or the rule does not exist */
  ListTargetsByRule: {
    access: (input, caller) => onTargets(input, caller),
    async handle(call, input) {
      const key = ruleKey(input.Rule, input, call);
      await ruleOrNotFound(call, key);
      const found = await call.tx.of(eventBuses).targets(key);
      const read = async (after: string, limit: number) => found.filter(({ targetId }) => targetId > after).slice(0, limit);
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ targetId }) => targetId),
      );
      return { Targets: records.map(({ target }) => target), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;
