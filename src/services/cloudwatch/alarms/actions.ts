/** Actions of alarms. */
import { isAccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '../errors.ts';

/** Lists of actions in requests. */
export interface Actions {
  readonly OKActions?: readonly string[];
  readonly AlarmActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
}

/** Returns the actions of a request, for all states. */
export function actionsIn({ OKActions = [], AlarmActions = [], InsufficientDataActions = [] }: Actions): readonly string[] {
  return [...OKActions, ...AlarmActions, ...InsufficientDataActions];
}

/**
 * Checks that the server can run all actions: each is the ARN of a topic of SNS or of a function of Lambda.
 *
 * @throws ValidationException  an action is not an ARN of the kinds above, or of another region
 * Source: cloudwatch 2010-08-01, AlarmActions: the forms of ARNs. Assumed: the messages. Belfry refuses actions of EC2, EC2 Auto Scaling,
 * Systems Manager and others, because it does not have these services.
 */
export function requireActions(actions: Actions, region: string): void {
  for (const action of actionsIn(actions)) {
    const parts = parseArn(action);
    if (parts === undefined) throw new AwsError('ValidationException', `Invalid arn syntax: ${action}`);
    if (!isAccountId(parts.accountId) || !isTarget(parts.service, parts.resource)) {
      throw new AwsError(
        'ValidationException',
        `The action '${action}' is not supported. Belfry runs actions only on topics of SNS (arn:aws:sns:REGION:ACCOUNT:TOPIC) and functions of Lambda (arn:aws:lambda:REGION:ACCOUNT:function:NAME).`,
      );
    }
    if (parts.region !== region) {
      throw new AwsError('ValidationException', `Invalid region ${parts.region} specified. Only ${region} is supported.`);
    }
  }
}

function isTarget(service: string, resource: string): boolean {
  if (service === 'sns') return /^[A-Za-z0-9_-]{1,256}(\.fifo)?$/.test(resource);
  return service === 'lambda' && /^function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?$/.test(resource);
}
