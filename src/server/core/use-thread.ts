/** The thread that searches records for the use of users and roles. It has no state. Each message contains everything that its job needs. */
import type { UseJob, UseOutcome } from '#core/recorded-use.ts';
import { prepareLoading } from '../module-loading.ts';

prepareLoading();
// `prepareLoading` has enabled the compile cache. Earlier imports of these modules would bypass the cache.
const { allowedUse, findUse } = await import('#access/past/recorded-use.ts');
const { serveJobs } = await import('./serve-jobs.ts');

serveJobs<UseJob, UseOutcome>((job) => (job.kind === 'search' ? findUse(job) : allowedUse(job)));
