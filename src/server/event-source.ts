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

/**
 * Whether a service is another one in each region. IAM and Organizations are not: clients with an endpoint of ours sign for the region
 * they are set up with, and that must neither hide a call from who looks where the server is, nor choose `aws:RequestedRegion`.
 *
 * Source: CloudTrail User Guide, "Global service events": they are recorded as of one region; IAM User Guide, aws:RequestedRegion.
 * Assumed: that region is the server's, which is us-east-1 unless it was set.
 */
export function hasRegions(service: ServiceName): boolean {
  return service !== 'iam' && service !== 'organizations';
}
