import type { SamlJob, VerifiedAssertion } from '#access/saml.ts';
import { AwsError } from '#core/aws-error.ts';
import { type JobLimits, type JobThreads, newJobThreads } from './job-threads.ts';

/** Threads for the verification of SAML assertions. The key of an assertion is the source of its request. */
export type SamlThreads = JobThreads<SamlJob, VerifiedAssertion>;

/**
 * Limits of the threads for SAML assertions. A valid assertion takes 5 to 20 ms, and the worst document within its limits 300 ms. The
 * users of a company often share one source, and sign in at the same time.
 *
 * Assumed: the numbers.
 */
export const SAML_LIMITS: JobLimits = { threads: 2, waitingOfKey: 64, waiting: 256, milliseconds: 20_000, heapMegabytes: 256 };

/** Creates the threads for SAML assertions. No thread starts before the first assertion. */
export function newSamlThreads(limits: JobLimits, report: (line: string) => void): SamlThreads {
  const program = new URL('./saml-thread.ts', import.meta.url);
  const exceeded = () => new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
  return newJobThreads({ name: 'SAML verifications', program, limits, exceeded }, report);
}
