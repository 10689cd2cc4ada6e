/** The thread that runs long analyses. It owns nothing: each analysis comes with everything that it needs. */
import { parentPort } from 'node:worker_threads';
import { useCompileCache } from './compile-cache.ts';

useCompileCache();
const { ANALYSIS_STEPS_MAX, runAnalysis } = await import('#policy/analysis.ts');
const { StepsExceeded } = await import('#policy/steps.ts');
const { authorizationReference } = await import('#services/accessanalyzer/reference.ts');

const port = parentPort;
if (port === null) throw new Error('The offload thread is started by the core.');
const reference = authorizationReference();

port.on('message', (analysis: import('#policy/analysis.ts').Analysis) => {
  port.postMessage(answerOf(analysis));
});

function answerOf(analysis: import('#policy/analysis.ts').Analysis): import('./offload.ts').FromOffload {
  try {
    return { outcome: runAnalysis(analysis, reference, { stepsLeft: ANALYSIS_STEPS_MAX }, true) };
  } catch (error) {
    if (error instanceof StepsExceeded) return 'exceeded';
    return { failed: String((error as Error)?.stack ?? error) };
  }
}
