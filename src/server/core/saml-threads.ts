import type { SamlJob, VerifiedAssertion } from '#access/saml.ts';
import { AwsError } from '#core/aws-error.ts';
import { type JobLimits, type JobThreads, newJobThreads } from './job-threads.ts';

/**
 * Threads for the verification of SAML assertions. Callers pass the client's address as the `key` of `run`. Addresses
 * take turns, so a client with many assertions does not hold up the other clients.
 */
export type SamlThreads = JobThreads<SamlJob, VerifiedAssertion>;

/**
 * Limits of the threads for SAML assertions. A valid assertion takes 5 to 20 ms. The slowest document within the limits
 * on assertions takes 300 ms. Many jobs of one address may wait, because the users of a company often share one address
 * and sign in at the same time.
 *
 * Assumed: all of these numbers.
 */
export const SAML_LIMITS: JobLimits = { threads: 2, waitingOfKey: 64, waiting: 256, milliseconds: 20_000, heapMegabytes: 256 };

/** Creates the threads for SAML assertions. No thread starts before the first assertion. */
export function newSamlThreads(limits: JobLimits, report: (line: string) => void): SamlThreads {
  const program = new URL('./saml-thread.ts', import.meta.url);
  const exceeded = () => new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
  return newJobThreads({ name: 'SAML verifications', program, limits, exceeded }, report);
}
