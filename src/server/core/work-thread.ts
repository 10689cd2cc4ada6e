/**
 * The thread that runs functions of modules for operations and tasks, such as long policy analyses. It has no state. The message of a job contains
 * everything that the job needs, or the job asks the core.
 */
import type { ThreadFunction } from '#services/kit/thread-work.ts';
import { prepareLoading } from '../module-loading.ts';
import type { Work } from './work-threads.ts';

prepareLoading();
// `prepareLoading` has enabled the compile cache. Earlier imports of these modules would bypass the cache.
const { StepsExceeded } = await import('#policy/steps.ts');
const { serveJobs } = await import('./serve-jobs.ts');

serveJobs<Work, unknown>(
  async ({ module, job }, ask) => {
    const { run } = (await import(module)) as { readonly run: ThreadFunction };
    return await run(job, ask);
  },
  (error) => error instanceof StepsExceeded,
);
