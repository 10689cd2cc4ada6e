/** Analysis of policies in another thread than the core. */
import { ANALYSIS_STEPS_MAX, type Analysis, type Outcome } from '#policy/analysis.ts';
import { runAnalysis } from '#policy/run-analysis.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';

const reference = authorizationReference();

/** Runs an analysis. @throws StepsExceeded  the analysis needs more than `ANALYSIS_STEPS_MAX` steps */
export async function run(analysis: Analysis): Promise<Outcome> {
  return runAnalysis(analysis, reference, { stepsLeft: ANALYSIS_STEPS_MAX }, true);
}
