/** Runs long analyses in threads of their own, so that they delay no other request. Decision 0016. */
import { Worker } from 'node:worker_threads';
import { AwsError } from '#core/aws-error.ts';
import type { Analysis, Outcome } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { COMPILE_CACHE } from '../compile-cache.ts';

/** Message of the thread: the result of its analysis. */
export type FromAnalysisThread = { readonly outcome: Outcome } | 'exceeded' | { readonly failed: string };

/** Threads for analyses, shared by all accounts. */
export interface AnalysisThreads {
  /**
   * Runs an analysis in a thread.
   *
   * An account has one analysis running at a time. Accounts take turns, so that one with many analyses delays another by
   * one analysis at most for each thread.
   *
   * @throws StepsExceeded  the analysis needs more steps or time than one may take
   * @throws AwsError Throttling  too many analyses of the account, or of all accounts, are waiting
   */
  run(accountId: string, analysis: Analysis): Promise<Outcome>;
  close(): Promise<void>;
}

/** Limits of the threads for analyses. */
export interface AnalysisLimits {
  /** Threads that run at once. One is started when it is first needed, and stays. */
  readonly threads: number;
  readonly waitingOfAccount: number;
  readonly waiting: number;
  /** Time after which the server ends the thread of an analysis. The step budget ends an ordinary one long before. */
  readonly milliseconds: number;
}

/** Assumed: the numbers. AWS documents that both services throttle, not from which rate on. */
export const ANALYSIS_LIMITS: AnalysisLimits = { threads: 2, waitingOfAccount: 4, waiting: 32, milliseconds: 10_000 };

/** Memory of one thread. One that needs more ends, and its analysis exceeds its budget. */
const HEAP_MEGABYTES = 512;

interface Job {
  readonly analysis: Analysis;
  readonly done: (outcome: Outcome) => void;
  readonly failed: (error: unknown) => void;
}

/** Sends an analysis to a thread and returns its message. `late`: no message in time, or too much memory needed. */
function answerOf(thread: Worker, analysis: Analysis, milliseconds: number): Promise<FromAnalysisThread | 'late'> {
  return new Promise((resolve) => {
    const late = setTimeout(() => settle('late'), milliseconds);
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'late' : { failed: String(error.stack ?? error) });
    const onExit = (): void => settle({ failed: 'the thread ended' });
    const settle = (settled: FromAnalysisThread | 'late'): void => {
      clearTimeout(late);
      thread.off('message', settle);
      thread.off('error', onError);
      thread.off('exit', onExit);
      resolve(settled);
    };
    thread.on('message', settle);
    thread.on('error', onError);
    thread.on('exit', onExit);
    thread.postMessage(analysis);
  });
}

/** Creates the threads for analyses. None is started before the first analysis. */
export function newAnalysisThreads(limits: AnalysisLimits, report: (what: string) => void): AnalysisThreads {
  /** Waiting jobs of each account. The account whose turn is next is first. */
  const queues = new Map<string, Job[]>();
  const running = new Set<string>();
  const idle: Worker[] = [];
  const threads = new Set<Worker>();
  let waiting = 0;
  let closed = false;

  function startThread(): Worker {
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MEGABYTES };
    const thread = new Worker(new URL('./analysis-thread.ts', import.meta.url), { env, resourceLimits });
    // A waiting thread does not keep the process running.
    thread.unref();
    threads.add(thread);
    thread.on('error', (error) => report(`a thread for analyses failed: ${(error as Error).message}`));
    thread.on('exit', () => {
      threads.delete(thread);
      const at = idle.indexOf(thread);
      if (at >= 0) idle.splice(at, 1);
    });
    return thread;
  }

  function nextJob(): { readonly accountId: string; readonly job: Job } | undefined {
    for (const [accountId, jobs] of queues) {
      if (running.has(accountId)) continue;
      const job = jobs.shift();
      if (jobs.length === 0) queues.delete(accountId);
      if (job !== undefined) return { accountId, job };
    }
    return undefined;
  }

  function start(): void {
    while (!closed && running.size < limits.threads) {
      const next = nextJob();
      if (next === undefined) return;
      waiting--;
      running.add(next.accountId);
      const { failed } = next.job;
      void runIn(idle.pop() ?? startThread(), next.job)
        .catch(failed)
        .finally(() => {
          running.delete(next.accountId);
          // The account's turn comes again after that of every other account.
          const more = queues.get(next.accountId);
          queues.delete(next.accountId);
          if (more !== undefined) queues.set(next.accountId, more);
          start();
        });
    }
  }

  /** Ends the thread if it does not answer in time, or fails. */
  async function runIn(thread: Worker, job: Job): Promise<void> {
    const answer = await answerOf(thread, job.analysis, limits.milliseconds);
    if (answer === 'late' || (answer !== 'exceeded' && 'failed' in answer)) await thread.terminate();
    else idle.push(thread);
    if (answer === 'late' || answer === 'exceeded') job.failed(new StepsExceeded());
    else if ('failed' in answer) job.failed(new Error(`an analysis failed: ${answer.failed}`));
    else job.done(answer.outcome);
  }

  return {
    run(accountId, analysis) {
      const jobs = queues.get(accountId) ?? [];
      if (closed || jobs.length >= limits.waitingOfAccount || waiting >= limits.waiting) {
        return Promise.reject(new AwsError('Throttling', 'Rate exceeded'));
      }
      return new Promise((done, failed) => {
        jobs.push({ analysis, done, failed });
        queues.set(accountId, jobs);
        waiting++;
        start();
      });
    },
    async close() {
      closed = true;
      for (const jobs of queues.values())
        for (const job of jobs) job.failed(new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.'));
      queues.clear();
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}
