/**
 * Metrics of rules, in the namespace `AWS/Events`.
 *
 * Source: EventBridge User Guide, "Monitoring Amazon EventBridge": the names, the dimensions, and that metrics are delivered on a
 * best-effort basis.
 */
import type { Dimension } from '#model/generated/cloudwatch.ts';
import { DEFAULT_BUS, ruleOfArn } from '#services/events/bus-names.ts';
import type { RuleKey } from '#services/events/routing.ts';
import type { Work } from '#services/kit/events.ts';
import { COUNTS_EVERY_MS, metricCounts } from '#services/kit/metric-counts.ts';
import type { OutgoingMessage } from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { Ended } from '../outgoing/queue.ts';
import type { Source } from '../outgoing/sources.ts';

export type RuleMetric =
  | 'MatchedEvents'
  | 'TriggeredRules'
  | 'ThrottledRules'
  | 'Invocations'
  | 'FailedInvocations'
  | 'DeadLetterInvocations'
  | 'InvocationsSentToDlq'
  | 'InvocationsFailedToBeSentToDlq';

/** Metrics that are counted for each rule, and also for all rules of the account together. Source: as above, column "Dimensions". */
const OF_ACCOUNT: ReadonlySet<RuleMetric> = new Set(['MatchedEvents', 'TriggeredRules', 'Invocations']);

export interface RuleMetrics {
  count(metric: RuleMetric, rule: RuleKey): void;
  /** Counts messages that have ended, if rules sent them. */
  countEnded(ended: readonly Ended[]): void;
  /** Stores the counts. */
  readonly source: Source;
}

/** Creates the counts of one server. */
export function ruleMetrics(parts: { readonly workIn: (tx: Tx) => Work; readonly monotonic: () => number }): RuleMetrics {
  const { workIn, monotonic } = parts;
  const counts = metricCounts();
  let nextAt = monotonic() + COUNTS_EVERY_MS;

  function addTo(name: RuleMetric, { accountId, region }: RuleKey, dimensions: readonly Dimension[]): void {
    counts.add({ accountId, region, namespace: 'AWS/Events', name, unit: 'Count', dimensions }, 1);
  }

  function count(metric: RuleMetric, rule: RuleKey): void {
    addTo(metric, rule, dimensionsOf(rule));
    if (OF_ACCOUNT.has(metric)) addTo(metric, rule, []);
  }

  return {
    count,
    countEnded(ended) {
      for (const { message, fate, tried } of ended) {
        const rule = ruleOf(message);
        if (rule === undefined) continue;
        if (message.target.kind === 'sqs' && message.target.attributes?.['RULE_ARN'] !== undefined) {
          count(fate === 'sent' ? 'InvocationsSentToDlq' : 'InvocationsFailedToBeSentToDlq', rule);
        } else if (!tried) count('ThrottledRules', rule);
        else {
          count('Invocations', rule);
          if (fate !== 'sent') count('FailedInvocations', rule);
        }
      }
    },
    source: {
      name: 'metrics of rules',
      async step(transaction) {
        if (monotonic() < nextAt) return 'done';
        if ((await counts.storeSome((store) => transaction((tx) => store(workIn(tx))))) === 'more') return 'more';
        nextAt = monotonic() + COUNTS_EVERY_MS;
        return 'done';
      },
    },
  };
}

function ruleOf({ sender }: OutgoingMessage): RuleKey | undefined {
  return sender.service === 'events.amazonaws.com' ? ruleOfArn(sender.sourceArn) : undefined;
}

/** Returns the dimensions of a rule. Source: as above: only `RuleName` refers to the default bus. */
function dimensionsOf({ busName, ruleName }: RuleKey): readonly Dimension[] {
  const rule = { Name: 'RuleName', Value: ruleName };
  return busName === DEFAULT_BUS ? [rule] : [{ Name: 'EventBusName', Value: busName }, rule];
}
