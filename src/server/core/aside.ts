/** Work that takes long is done beside the core's thread, little of it at once: each password that is hashed takes 32 MiB and a thread that syncs the disk too. */
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '#core/aws-error.ts';
import { type Analysis, type Outcome, runAnalysis, sizeOf } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { AuthorizationReference } from '#policy/validate/reference.ts';
import type { Call, RunAnalysis } from '#services/kit/operation.ts';
import type { Offload } from './offload.ts';

/** Does work when there is room for it; undefined where there is none even to wait. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T> | undefined;

const WAITING_MAX = 32;

/** Lets few work at once, and few wait for it. All gates together let through fewer than Node's four threads, so that the disk is never behind passwords. */
export function newGate(workingMax: number): Gate {
  let working = 0;
  const waiting: (() => void)[] = [];

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (working === workingMax) await new Promise<void>((resolve) => waiting.push(resolve));
    else working++;
    try {
      return await work();
    } finally {
      // Who waited longest takes over the place, so that nobody who comes meanwhile does.
      const next = waiting.shift();
      if (next === undefined) working--;
      else next();
    }
  }
  return (work) => (waiting.length >= WAITING_MAX ? undefined : run(work));
}

/** Where work outside the transaction runs. */
export interface AsideParts {
  readonly gate: Gate;
  readonly offload: Pick<Offload, 'run'>;
  /** The service authorization reference, for analyses that are small enough to run at once. */
  readonly reference: () => AuthorizationReference;
}

/** What an attempt can run outside its transaction. */
export interface Beside {
  readonly aside: Call['aside'];
  /** `Call.offload` for an account, whose limits apply. */
  readonly offloadFor: (accountId: string) => RunAnalysis;
}

/**
 * Steps that an analysis may take on the core's thread, while every other caller waits: a few milliseconds. One that needs
 * more runs in another thread.
 */
export const INLINE_STEPS_MAX = 2 ** 20;

/** Characters of an analysis that may run on the core's thread. */
export const INLINE_SIZE_MAX = 4_096;

/** Times that one request may run an analysis again because the policies changed. */
const ANALYSES_MAX = 4;

/** Work that an attempt needs. */
type Wanted =
  | { readonly name: string; readonly work: () => Promise<unknown> }
  | { readonly accountId: string; readonly analysis: Analysis };

interface Analyzed {
  readonly analysis: Analysis;
  readonly outcome: Outcome | 'exceeded';
}

/**
 * Makes an attempt. If the attempt needs work that is not done yet, aborts it, does the work and makes the attempt again. So no
 * transaction waits for the work, and a request that is refused first causes none.
 *
 * @throws AwsError ServiceUnavailable  too many wait already, or the policies of an analysis kept changing
 * @throws AwsError Throttling  too many analyses of the account are waiting
 */
export async function withAside<T>({ gate, offload, reference }: AsideParts, attempt: (beside: Beside) => Promise<T>): Promise<T> {
  let done: Map<string, unknown> | undefined;
  const analyzed: Analyzed[] = [];
  let asked: Wanted | undefined;
  // A function, because the compiler does not see that the attempt may have asked.
  const wanted = () => asked;
  const want = (what: Wanted): never => {
    asked = what;
    throw new Error('An attempt is aborted for work outside the transaction.');
  };
  const beside: Beside = {
    aside: (name, work) => (done?.has(name) ? (done.get(name) as never) : want({ name, work })),
    offloadFor: (accountId) => (analysis) => {
      const known = analyzed.find((one) => isDeepStrictEqual(one.analysis, analysis));
      if (known?.outcome === 'exceeded') throw new StepsExceeded();
      if (known !== undefined) return known.outcome as never;
      if (sizeOf(analysis) > INLINE_SIZE_MAX) return want({ accountId, analysis });
      try {
        return runAnalysis(analysis, reference(), { stepsLeft: INLINE_STEPS_MAX }, false) as never;
      } catch (error) {
        if (error instanceof StepsExceeded) return want({ accountId, analysis });
        throw error;
      }
    },
  };

  for (;;) {
    asked = undefined;
    try {
      return await attempt(beside);
    } catch (error) {
      if (wanted() === undefined) throw error;
    }
    const what = wanted() as Wanted;
    if ('analysis' in what) {
      if (analyzed.length === ANALYSES_MAX) throw unavailable();
      analyzed.push({ analysis: what.analysis, outcome: await outcomeOf(what.accountId, what.analysis) });
      continue;
    }
    const outcome = gate(what.work);
    if (outcome === undefined) throw unavailable();
    done ??= new Map();
    done.set(what.name, await outcome);
  }

  async function outcomeOf(accountId: string, analysis: Analysis): Promise<Analyzed['outcome']> {
    try {
      return await offload.run(accountId, analysis);
    } catch (error) {
      if (error instanceof StepsExceeded) return 'exceeded';
      throw error;
    }
  }
}

function unavailable(): AwsError {
  return new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}
