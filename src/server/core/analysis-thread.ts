/** The thread that runs long analyses. It owns nothing: each analysis comes with everything that it needs. */
import { parentPort } from 'node:worker_threads';
import type { Analysis } from '#policy/analysis.ts';
import { useCompileCache } from '../compile-cache.ts';
import type { FromAnalysisThread } from './analysis-threads.ts';

useCompileCache();
// The modules of the analyses come from the cache of compiled sources too.
const { ANALYSIS_STEPS_MAX, runAnalysis } = await import('#policy/analysis.ts');
const { StepsExceeded } = await import('#policy/steps.ts');
const { authorizationReference } = await import('#services/kit/authorization-reference.ts');

const port = parentPort;
if (port === null) throw new Error('The core starts the thread for analyses.');
const reference = authorizationReference();

port.on('message', (analysis: Analysis) => port.postMessage(answerOf(analysis)));

function answerOf(analysis: Analysis): FromAnalysisThread {
  try {
    return { outcome: runAnalysis(analysis, reference, { stepsLeft: ANALYSIS_STEPS_MAX }, true) };
  } catch (error) {
    if (error instanceof StepsExceeded) return 'exceeded';
    return { failed: String((error as Error)?.stack ?? error) };
  }
}
