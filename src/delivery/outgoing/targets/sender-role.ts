/** Roles with which services send messages: the role must trust the service, and allow the action on the target. */
import type { DecideRole, RoleDecision, RoleRequest } from '#access/service-role.ts';
import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { OutgoingMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { Outcome } from '../outcome.ts';

type Actions = readonly `${string}:${string}`[];

/**
 * Actions by target. Source: EventBridge User Guide, "Using IAM roles to access resources". Assumed: a role for a log group needs the actions
 * of the group's resource policy, which also decides.
 */
const ACTIONS: Readonly<Partial<Record<OutgoingTarget['kind'], Actions>>> = {
  sqs: ['sqs:SendMessage'],
  sns: ['sns:Publish'],
  lambda: ['lambda:InvokeFunction'],
  kinesis: ['kinesis:PutRecord'],
  apiDestination: ['events:InvokeApiDestination'],
  logs: ['logs:CreateLogStream', 'logs:PutLogEvents'],
};

/** Names of role sessions. Assumed: EventBridge uses a random name, and CloudWatch Logs this one. */
const SESSION_NAME = 'events';
const SESSION_NAMES: Readonly<Record<string, string>> = { 'logs.amazonaws.com': 'logs' };
/** Time after which a message is tried again if the server cannot decide. */
const UNDECIDED_MS = 1_000;

const REASONS: Readonly<Record<Exclude<RoleDecision, 'allowed'>, string>> = {
  'no-role': 'the role does not exist',
  'not-trusted': 'the role does not trust the service',
  denied: 'the policies of the role do not allow the action on the target',
};

/**
 * Returns the older name of a service, with the region, which trust policies may contain.
 *
 * Source: CloudWatch Logs User Guide, "Log group-level subscription filters": `logs.amazonaws.com`, in older editions `logs.REGION.amazonaws.com`.
 */
function regional(service: string, region: string): readonly string[] {
  return service === 'logs.amazonaws.com' ? [`logs.${region}.amazonaws.com`] : [];
}

/** Role, service and source of a message, and its target. */
export interface RoleUse {
  readonly sender: OutgoingMessage['sender'];
  readonly actions: Actions;
  readonly resource: string;
  readonly region: string;
  /** Policy of the resource and more condition keys: see `RoleRequest`. */
  readonly resourcePolicy?: RoleRequest['resourcePolicy'];
  readonly context?: RoleRequest['context'];
}

/** Returns why a service may not use a role, or `undefined` if it may. Without a role, nothing is required. */
export async function roleProblem(
  tx: Tx,
  decideRole: DecideRole,
  { sender, actions, resource, region, resourcePolicy, context }: RoleUse,
  now: Instant,
): Promise<string | undefined> {
  const { service, sourceArn, sourceAccount, roleArn } = sender;
  if (roleArn === undefined) return undefined;
  const resources = [resource];
  let decision: RoleDecision = 'not-trusted';
  for (const principal of [service, ...regional(service, region)]) {
    const sessionName = SESSION_NAMES[service] ?? SESSION_NAME;
    decision = await decideRole(tx, {
      ...{ service: principal, roleArn, sessionName, actions, resources, sourceArn, sourceAccount, region, now },
      ...(resourcePolicy !== undefined && { resourcePolicy }),
      ...(context !== undefined && { context }),
    });
    if (decision !== 'not-trusted') break;
  }
  return decision === 'allowed' ? undefined : REASONS[decision];
}

export interface SenderRoleParts {
  readonly decideRole: DecideRole;
  readonly now: () => number;
  readonly report: (line: string) => void;
}

/**
 * Creates the function that decides whether the role of a message allows it. The function returns `undefined` if it does, or if the message
 * has no role. It never rejects, because other messages are in the same transaction.
 */
export function senderRoles({
  decideRole,
  now,
  report,
}: SenderRoleParts): (tx: Tx, message: OutgoingMessage) => Promise<Outcome | undefined> {
  return async (tx, { id, target, sender, region }) => {
    const actions = ACTIONS[target.kind];
    if (sender.roleArn === undefined || actions === undefined || !('arn' in target)) return undefined;
    const resource = target.kind === 'logs' ? `${target.arn.replace(/:\*$/, '')}:log-stream:${target.logStreamName ?? '*'}` : target.arn;
    try {
      const problem = await roleProblem(tx, decideRole, { sender, actions, resource, region }, instant(now()));
      return problem === undefined ? undefined : { kind: 'failed', code: 'NO_PERMISSIONS', message: problem };
    } catch (error) {
      if (error instanceof AwsError) return { kind: 'later', afterMs: UNDECIDED_MS };
      report(`could not decide about the role of message '${id}': ${(error as Error).message}`);
      return { kind: 'failed', code: 'NO_PERMISSIONS', message: 'the role could not be evaluated' };
    }
  };
}
