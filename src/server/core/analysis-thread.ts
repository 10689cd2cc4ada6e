/**
 * The thread that runs long policy analyses, and other work of operations. It has no state. The message of an analysis contains everything that it
 * needs. Other work also asks the core.
 */
import type { ThreadFunction } from '#services/kit/thread-work.ts';
import { prepareLoading } from '../module-loading.ts';
import type { ThreadJob } from './analysis-threads.ts';

prepareLoading();
// `prepareLoading` has enabled the compile cache. Earlier imports of these modules would bypass the cache.
const { ANALYSIS_STEPS_MAX } = await import('#policy/analysis.ts');
const { runAnalysis } = await import('#policy/run-analysis.ts');
const { StepsExceeded } = await import('#policy/steps.ts');
const { authorizationReference } = await import('#services/kit/authorization-reference.ts');
const { serveJobs } = await import('./serve-jobs.ts');

const reference = authorizationReference();

serveJobs<ThreadJob, unknown>(
  async (job, ask) => {
    if ('analysis' in job) return runAnalysis(job.analysis, reference, { stepsLeft: ANALYSIS_STEPS_MAX }, true);
    const { run } = (await import(job.module)) as { readonly run: ThreadFunction };
    return await run(job.job, ask);
  },
  (error) => error instanceof StepsExceeded,
);
