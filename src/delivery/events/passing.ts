/** Decision whether a rule may pass an event to another bus. */
import { authorizeService } from '#access/service-authorization.ts';
import type { DecideRole } from '#access/service-role.ts';
import { busArn, DEFAULT_BUS, ruleArn } from '#services/events/bus-names.ts';
import { type BusKey, busOf } from '#services/events/routing.ts';
import type { Failure } from '../outgoing/outcome.ts';
import { roleProblem } from '../outgoing/targets/sender-role.ts';
import type { Run } from './run.ts';
import type { TargetEvent } from './target-message.ts';

const MISSING_BUS: Failure = { code: 'NO_RESOURCE', message: 'the event bus does not exist' };
const DENIED: Failure = {
  code: 'NO_PERMISSIONS',
  message: 'the role of the target or the policy of the event bus does not allow the event',
};

/**
 * Returns why a rule may not put an event on another bus, or `undefined` if it may. If the target has a role, EventBridge puts the event as this
 * role, so its policies and the policy of the bus decide as for a call. Without a role, the policy of a bus of another account must allow the
 * service. A denial of the service applies in all cases.
 *
 * Source: EventBridge User Guide, "Sending and receiving events between AWS accounts"; IAM User Guide, "Policy evaluation logic": an explicit
 * denial in a resource-based policy applies also within an account. Assumed: a bus of the same account needs no role and no statement that
 * allows the event, and `aws:SourceArn` and `aws:SourceAccount` are those of the rule.
 */
export async function passProblem(
  { tx, now }: Run,
  decideRole: DecideRole,
  { event: { value }, rule, target }: TargetEvent,
  to: BusKey,
): Promise<Failure | undefined> {
  const bus = await busOf(tx, to);
  if (bus === undefined && to.busName !== DEFAULT_BUS) return MISSING_BUS;
  const roleArn = target.RoleArn ?? rule.roleArn;
  const sender = { service: 'events.amazonaws.com', sourceArn: ruleArn(rule), sourceAccount: rule.accountId };
  const policy = bus?.policy?.policy;
  // Source: Service Authorization Reference, "Amazon EventBridge", condition keys of PutEvents.
  const ofEvent = [
    ['events:source', String(value['source'])],
    ['events:detail-type', String(value['detail-type'])],
    ['events:eventbusinvocation', 'true'],
  ] as const;
  if (roleArn !== undefined) {
    const use = { sender: { ...sender, roleArn }, actions: ['events:PutEvents'], resource: busArn(to), region: to.region } as const;
    const context = new Map([...ofEvent, ['aws:sourcearn', sender.sourceArn], ['aws:sourceaccount', sender.sourceAccount]]);
    if ((await roleProblem(tx, decideRole, { ...use, resourcePolicy: { text: policy }, context }, now)) !== undefined) return DENIED;
  }
  const decision = authorizeService({
    ...{ ...sender, action: 'events:PutEvents', resource: busArn(to), policy },
    ...{ owner: to.accountId, region: to.region, now, context: new Map(ofEvent) },
  });
  if (decision.allowed) return undefined;
  const isPermitted =
    (roleArn !== undefined || to.accountId === rule.accountId) && (decision.reason === 'implicit' || decision.reason === 'no-policy');
  return isPermitted ? undefined : DENIED;
}
