/**
 * Slow work outside transactions: password hashes, analyses of policies and long reads. A request waits for such work
 * without a transaction, and then runs its transaction again. Decision 0016.
 */
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '#core/aws-error.ts';
import { type Analysis, type Outcome, sizeOf } from '#policy/analysis.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { Call, RunAnalysis } from '#services/kit/operation.ts';
import type { Store } from '#store/store.ts';
import type { AnalysisThreads } from './analysis-threads.ts';
import type { SurveyGate } from './survey-gate.ts';

/** Runs work when a slot is free. Returns undefined if too many tasks wait already. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T> | undefined;

const WAITING_MAX = 32;

/**
 * Creates a gate with `workingMax` slots. At most 32 tasks wait for a slot. A password hash takes 32 MiB and one of the
 * four threads of Node's thread pool. The gates for passwords have three slots in total. So one thread of the pool
 * always remains for file operations.
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

/** Runs an exchange with another host for an account. Returns undefined if the account, or all accounts together, run too many already. */
export type Contacts = <T>(accountId: string, exchange: () => Promise<T>) => Promise<T> | undefined;

/** Creates the limit of exchanges with other hosts that run at a time. None waits, because a host decides how long an exchange takes. */
export function newContacts({ most, mostOfAccount }: { readonly most: number; readonly mostOfAccount: number }): Contacts {
  const running = new Map<string, number>();
  let total = 0;
  return (accountId, exchange) => {
    const own = running.get(accountId) ?? 0;
    if (total >= most || own >= mostOfAccount) return undefined;
    total++;
    running.set(accountId, own + 1);
    return exchange().finally(() => {
      total--;
      const left = (running.get(accountId) ?? 1) - 1;
      if (left === 0) running.delete(accountId);
      else running.set(accountId, left);
    });
  };
}

/** Analyses that are small enough to run on the core's thread. */
export interface SmallAnalyses {
  /** Returns the function that runs small analyses, or undefined before `load`. */
  readonly loaded: () => ((analysis: Analysis, budget: StepBudget) => Outcome) | undefined;
  readonly load: () => Promise<void>;
}

/**
 * Creates a loader for the code of analyses. It is a tenth of the core's code, and most servers do not need it when
 * they start.
 */
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

/** Gates, limits, store and threads for work outside the transaction. */
export interface OffloadParts {
  readonly gate: Gate;
  readonly contacts: Contacts;
  /** Gate for long reads of `store`. */
  readonly surveyGate: SurveyGate;
  readonly store: Pick<Store, 'transaction'>;
  readonly threads: Pick<AnalysisThreads, 'run' | 'computeFor'>;
  readonly smallAnalyses: SmallAnalyses;
}

/** Functions with which an attempt (one run of a request's transaction) runs work outside the transaction. */
export interface Offloading {
  readonly offload: Call['offload'];
  /** Returns the function `Call.contact` for an account. */
  readonly contactFor: (accountId: string) => Call['contact'];
  /** Returns the function `Call.survey` for an account. Accounts take turns. */
  readonly surveyFor: (accountId: string) => Call['survey'];
  /** Returns the function `Call.analyze` for an account. The number of waiting analyses is limited for each account. */
  readonly analyzeFor: (accountId: string) => RunAnalysis;
}

/**
 * Maximum number of steps (units of work) of an analysis on the core's thread. This number of steps takes a few
 * milliseconds, in which all other callers wait. A longer analysis runs in another thread.
 */
export const INLINE_STEPS_MAX = 2 ** 20;

/** Maximum size, in characters, of an analysis that may run on the core's thread. */
export const INLINE_SIZE_MAX = 4_096;

/**
 * Maximum number of analyses that one request runs in other threads. Each change of the policies between attempts
 * requires another analysis.
 */
const ANALYSES_MAX = 4;

/** Work whose result the next attempt needs. `key` is the name of the work, or the analysis to run. */
interface Work {
  readonly key: string | Analysis;
  readonly run: () => Promise<unknown>;
}

/** Result of an analysis that needs more steps than its budget. */
const EXCEEDED = Symbol('exceeded');

/**
 * Runs an attempt. If the attempt needs work that is not done yet, aborts the attempt, does the work and runs the
 * attempt again. So no transaction waits for the work. If an attempt fails before it needs the work, the work does not
 * run.
 *
 * @throws AwsError ServiceUnavailable  too many tasks wait already, or the policies of an analysis kept changing
 * @throws AwsError Throttling  too many analyses or surveys of the account are waiting
 */
export async function withOffload<T>(parts: OffloadParts, attempt: (offloading: Offloading) => Promise<T>): Promise<T> {
  const { gate, contacts, surveyGate, store, threads, smallAnalyses } = parts;
  let done: { readonly key: Work['key']; readonly result: unknown }[] | undefined;
  let needed: Work | undefined;
  // Reads `needed` in a function. In a direct read, TypeScript would infer the type `undefined`, because it ignores the
  // assignment in `abortFor`.
  const neededWork = () => needed;
  const abortFor = (work: Work): never => {
    needed = work;
    throw new Error('The transaction was aborted, so that work outside of it can run first.');
  };
  const finished = (key: Work['key']) => done?.find((one) => isDeepStrictEqual(one.key, key));
  function through<T>(name: string, run: () => Promise<T>): T {
    const known = finished(name);
    return known === undefined ? abortFor({ key: name, run }) : (known.result as T);
  }
  const offloading: Offloading = {
    offload: (name, work) => through(name, () => gate(work) ?? Promise.reject(unavailable())),
    contactFor: (accountId) => (name, exchange) => through(name, () => contacts(accountId, exchange) ?? Promise.reject(unavailable())),
    surveyFor: (accountId) => (name, read) => through(name, () => surveyGate(accountId, () => read(store, threads.computeFor(accountId)))),
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

/**
 * Returns the outcome, or `EXCEEDED` if the analysis exceeds its budget. In the repeated attempt, `analyzeFor` then
 * throws `StepsExceeded`, and the operation determines the error for the client.
 */
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
