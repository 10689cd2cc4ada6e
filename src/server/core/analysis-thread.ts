/**
 * The thread that runs long policy analyses. It has no state. Each message contains everything that its analysis needs.
 */
import type { Analysis, Outcome } from '#policy/analysis.ts';
import { prepareLoading } from '../module-loading.ts';

prepareLoading();
// `prepareLoading` has enabled the compile cache. Earlier imports of these modules would bypass the cache.
const { ANALYSIS_STEPS_MAX } = await import('#policy/analysis.ts');
const { runAnalysis } = await import('#policy/run-analysis.ts');
const { StepsExceeded } = await import('#policy/steps.ts');
const { authorizationReference } = await import('#services/kit/authorization-reference.ts');
const { serveJobs } = await import('./serve-jobs.ts');

const reference = authorizationReference();

serveJobs<Analysis, Outcome>(
  (analysis) => runAnalysis(analysis, reference, { stepsLeft: ANALYSIS_STEPS_MAX }, true),
  (error) => error instanceof StepsExceeded,
);
