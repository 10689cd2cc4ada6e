/** Log groups of this server as targets: one log event for each message. */
import { createHash } from 'node:crypto';
import { type AccountId, parseArn } from '#core/arn.ts';
import type { Work } from '#services/kit/events.ts';
import { writeAsService } from '#services/logs/service-writer.ts';
import type { Outcome } from '../outcome.ts';
import type { WriteToLogGroup } from './prepare.ts';

/**
 * Creates the function that writes to log groups of the message's account and region. The resource policies of the account must allow it. They
 * usually allow EventBridge without a condition, so they cannot decide about rules of other accounts.
 *
 * Source: EventBridge User Guide, "CloudWatch Logs" targets, and "Sending events to an AWS service in another account": log groups are not
 * among the services. Assumed: the events of a rule are in one stream, whose name is a hash.
 */
export function logGroupTarget(workIn: (tx: Work['tx']) => Work): WriteToLogGroup {
  return async (tx, { accountId, region, target, sender, body, createdAt }): Promise<Outcome> => {
    const parsed = target.kind === 'logs' ? parseArn(target.arn) : undefined;
    const logGroupName = parsed?.resource.replace(/^log-group:/, '').replace(/:\*$/, '');
    if (target.kind !== 'logs' || parsed === undefined || logGroupName === undefined || logGroupName === '')
      return { kind: 'failed', code: 'NO_RESOURCE', message: 'the ARN of the log group is invalid' };
    if (parsed.accountId !== accountId || parsed.region !== region)
      return { kind: 'failed', code: 'NO_PERMISSIONS', message: 'the log group belongs to another account or region' };
    const { service, sourceArn, sourceAccount } = sender;
    const logStreamName = target.logStreamName ?? createHash('sha256').update(sourceArn).digest('hex').slice(0, 32);
    const written = await writeAsService(
      workIn(tx),
      { service, sourceArn, sourceAccount },
      {
        ...{ accountId: parsed.accountId as AccountId, region: parsed.region, logGroupName, logStreamName },
        events: [{ timestamp: createdAt, message: body }],
      },
    );
    switch (written) {
      case 'written':
        return { kind: 'sent' };
      case 'no such group':
        return { kind: 'failed', code: 'NO_RESOURCE', message: 'the log group does not exist' };
      case 'denied':
        return { kind: 'failed', code: 'NO_PERMISSIONS', message: 'no resource policy allows the service to write to the log group' };
      case 'too large':
        return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message: 'the event is too large for a log group' };
    }
  };
}
