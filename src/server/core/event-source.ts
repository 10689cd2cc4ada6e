import type { ServiceName } from '#model/model.ts';

/**
 * `eventSource` of a service's records.
 *
 * Source: CloudTrail User Guide; both Chime guides name `chime.amazonaws.com` for all of their services (LOG-1).
 */
export function eventSourceOf(service: ServiceName): string {
  if (service.startsWith('chime')) return 'chime.amazonaws.com';
  if (service === 'cloudwatch') return 'monitoring.amazonaws.com';
  if (service === 'accessanalyzer') return 'access-analyzer.amazonaws.com';
  return `${service}.amazonaws.com`;
}

/** `eventSource` of requests that name no service. Ours: AWS does not record them. */
export const SERVER_EVENT_SOURCE = 'belfry.server';

/**
 * Whether a service differs in each region. IAM and Organizations do not: clients with an endpoint of ours sign for the region
 * of their profile, and that region must neither hide a call's record nor choose `aws:RequestedRegion`. A region that does not exist
 * is refused, as for every service.
 *
 * Source: CloudTrail User Guide, "Global service events": they are recorded as of one region; IAM User Guide, aws:RequestedRegion.
 * Source: rusoto 1870, aws-sdk-js-v3 1024: IAM refuses every region but us-east-1.
 * Assumed: that region is the server's, which is us-east-1 unless it was set, and other existing regions are accepted.
 */
export function hasRegions(service: ServiceName): boolean {
  return service !== 'iam' && service !== 'organizations';
}
