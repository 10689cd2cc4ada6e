/**
 * Slow work off the transactions: password hashes, analyses of policies and long reads. Owns the wait of a request for such work. Decision
 * 0016.
 */
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '#core/aws-error.ts';
import { type Analysis, type Outcome, sizeOf } from '#policy/analysis.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { Call, RunAnalysis } from '#services/kit/operation.ts';
import type { Store } from '#store/store.ts';
import type { AnalysisThreads } from './analysis-threads.ts';

/** Runs work when a slot is free. Returns undefined if too many tasks wait already. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T> | undefined;

const WAITING_MAX = 32;

/**
 * Creates a gate with `workingMax` slots. At most 32 wait for one. A password hash takes 32 MiB and one of Node's four threads. So all
 * gates together have fewer than four slots, and file operations never wait for passwords.
 */
export function newGate(workingMax: number): Gate {
  let working = 0;
  const waiting: (() => void)[] = [];

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (working === workingMax) await new Promise<void>((resolve) => waiting.push(resolve));
    else working++;
    try {
      return await work();
    } finally {
      // Hands the slot to the longest waiter, so that a newcomer cannot take it.
      const next = waiting.shift();
      if (next === undefined) working--;
      else next();
    }
  }
  return (work) => (waiting.length >= WAITING_MAX ? undefined : run(work));
}

/** Analyses that are small enough to run on the core's thread. */
export interface SmallAnalyses {
  /** Returns the function that runs them, or undefined before `load`. */
  readonly loaded: () => ((analysis: Analysis, budget: StepBudget) => Outcome) | undefined;
  readonly load: () => Promise<void>;
}

/** Creates a loader of analyses. Their rules are a tenth of the core's modules, and most servers start without needing them. */
export function newSmallAnalyses(): SmallAnalyses {
  let run: ReturnType<SmallAnalyses['loaded']>;
  return {
    loaded: () => run,
    async load() {
      const [{ runAnalysis }, { authorizationReference }] = await Promise.all([
        import('#policy/run-analysis.ts'),
        import('#services/kit/authorization-reference.ts'),
      ]);
      run = (analysis, budget) => runAnalysis(analysis, authorizationReference(), budget, false);
    },
  };
}

/** Gates, store and threads for work outside the transaction. */
export interface OffloadParts {
  readonly gate: Gate;
  /** Gate for long reads of `store`. */
  readonly surveyGate: Gate;
  readonly store: Pick<Store, 'transaction'>;
  readonly threads: Pick<AnalysisThreads, 'run'>;
  readonly smallAnalyses: SmallAnalyses;
}

/** Functions with which an attempt runs work outside its transaction. */
export interface Offloading {
  readonly offload: Call['offload'];
  readonly survey: Call['survey'];
  /** `Call.analyze` for an account, whose limits apply. */
  readonly analyzeFor: (accountId: string) => RunAnalysis;
}

/**
 * Steps that an analysis may take on the core's thread, while every other caller waits: a few milliseconds. A longer
 * analysis runs in another thread.
 */
export const INLINE_STEPS_MAX = 2 ** 20;

/** Maximum size, in characters, of an analysis that may run on the core's thread. */
export const INLINE_SIZE_MAX = 4_096;

/** Maximum number of analyses that one request runs in other threads. A change of the policies between attempts requires another one. */
const ANALYSES_MAX = 4;

/** Work whose result the next attempt needs. `key` is the name of the work, or the analysis to run. */
interface Work {
  readonly key: string | Analysis;
  readonly run: () => Promise<unknown>;
}

/** Result of an analysis that needs more steps than its budget. */
const EXCEEDED = Symbol('exceeded');

/**
 * Runs an attempt. If the attempt needs work that is not done yet, aborts it, does the work and runs the attempt again. So no transaction
 * waits for the work. The work does not run for a request that fails before it needs the result.
 *
 * @throws AwsError ServiceUnavailable  too many tasks wait already, or the policies of an analysis kept changing
 * @throws AwsError Throttling  too many analyses of the account are waiting
 */
export async function withOffload<T>(parts: OffloadParts, attempt: (offloading: Offloading) => Promise<T>): Promise<T> {
  const { gate, surveyGate, store, threads, smallAnalyses } = parts;
  let done: { readonly key: Work['key']; readonly result: unknown }[] | undefined;
  let needed: Work | undefined;
  // A function, because the compiler does not see that the attempt assigns `needed`.
  const neededWork = () => needed;
  const abortFor = (work: Work): never => {
    needed = work;
    throw new Error('An attempt is aborted for work outside the transaction.');
  };
  const finished = (key: Work['key']) => done?.find((one) => isDeepStrictEqual(one.key, key));
  function through<T>(slots: Gate, name: string, work: () => Promise<T>): T {
    const known = finished(name);
    return known === undefined ? abortFor({ key: name, run: () => slots(work) ?? Promise.reject(unavailable()) }) : (known.result as T);
  }
  const offloading: Offloading = {
    offload: (name, work) => through(gate, name, work),
    survey: (name, read) => through(surveyGate, name, () => read(store)),
    analyzeFor: (accountId) => (analysis) => {
      const known = finished(analysis);
      if (known?.result === EXCEEDED) throw new StepsExceeded();
      if (known !== undefined) return known.result as never;
      const inThread = () => abortFor({ key: analysis, run: () => outcomeOf(threads.run(accountId, analysis)) });
      if (sizeOf(analysis) > INLINE_SIZE_MAX) return inThread();
      const run = smallAnalyses.loaded();
      if (run === undefined) return abortFor({ key: 'load the analyses', run: smallAnalyses.load });
      try {
        return run(analysis, { stepsLeft: INLINE_STEPS_MAX }) as never;
      } catch (error) {
        if (error instanceof StepsExceeded) return inThread();
        throw error;
      }
    },
  };

  for (;;) {
    needed = undefined;
    try {
      return await attempt(offloading);
    } catch (error) {
      if (neededWork() === undefined) throw error;
    }
    const { key, run } = neededWork() as Work;
    done ??= [];
    if (typeof key !== 'string' && done.filter((one) => typeof one.key !== 'string').length === ANALYSES_MAX) throw unavailable();
    done.push({ key, result: await run() });
  }
}

/** Returns the outcome, or `EXCEEDED` for an exceeded budget. The repeated attempt then throws, and determines the client's error. */
async function outcomeOf(running: Promise<Outcome>): Promise<Outcome | typeof EXCEEDED> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof StepsExceeded) return EXCEEDED;
    throw error;
  }
}

function unavailable(): AwsError {
  return new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}
