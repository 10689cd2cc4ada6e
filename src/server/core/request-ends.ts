/** End of each request in the core: its counts for metrics, and its facts for traces. */
import type { LeaseClock } from '#access/lease-parts.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import type { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Server } from './answer.ts';
import type { ApiUsage } from './api-usage.ts';
import { newPhases, type Phases, type RequestTrace } from './phases.ts';
import { type RequestCounts, UNKNOWN } from './request-counts.ts';
import type { Facts } from './request-records.ts';

export interface RequestEndParts {
  readonly clock: LeaseClock;
  readonly requests: RequestCounts;
  /** Counts calls for the metrics of `AWS/Usage`. */
  readonly countCall: ApiUsage['count'];
  /** Whether the main thread sends traces. */
  readonly tracing: boolean;
}

/** Creates the functions that observe requests. Without traces, a request costs two look-ups and some additions. */
export function requestEnds({ clock, requests, countCall, tracing }: RequestEndParts): Pick<Server, 'newPhases' | 'ended'> {
  return {
    newPhases: () => (tracing ? newPhases(clock) : undefined),
    ended(facts, answer, error) {
      const { called, authenticated, phases } = facts;
      if (called.kind === 'routed' && authenticated !== undefined) {
        const { principal, region } = authenticated;
        countCall({ accountId: principal.accountId, region, service: called.service, operation: called.operation.name }, error?.code);
      }
      // The core answers only requests that a listener received.
      const { receivedAt } = facts.request as Received;
      requests.count(called, answer.status, clock.wall() - receivedAt);
      if (phases === undefined) return answer;
      if (error === undefined) phases.end('commit');
      return { ...answer, trace: traceOf(facts, phases, receivedAt, error) };
    },
  };
}

function traceOf(
  { called, authenticated }: Facts,
  phases: Phases,
  receivedAt: RequestTrace['receivedAt'],
  error: AwsError | undefined,
): RequestTrace {
  const accountId = authenticated?.principal.accountId;
  return omitUndefined({
    service: called.service ?? UNKNOWN,
    operation: called.kind === 'routed' ? called.operation.name : UNKNOWN,
    accountId: accountId === NO_ACCOUNT ? undefined : accountId,
    region: authenticated?.region,
    errorCode: error?.code,
    receivedAt,
    beganAt: phases.beganAt,
    ends: phases.ends(),
    elapsedMs: phases.elapsedMs(),
  });
}
