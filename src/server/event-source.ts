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
