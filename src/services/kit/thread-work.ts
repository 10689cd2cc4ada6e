/** Work of an operation that runs in another thread, and that asks the core for the stored facts that it needs. Decision 0016. */

/**
 * Function `run` of a module that another thread loads. It gets a job as plain data, and returns plain data. `ask` sends a question to the core,
 * and resolves to the reply. The thread has no store, clock or network.
 *
 * @throws StepsExceeded  the job needs more steps than its budget
 */
// biome-ignore lint/suspicious/noExplicitAny: each module has its own types
export type ThreadFunction = (job: any, ask: (question: any) => Promise<any>) => Promise<unknown>;

/**
 * Runs a job with the function `run` of a module in another thread. `Run` is the type of this function. `answer` answers the questions of the
 * job on the core's thread, each in a short transaction. A job without questions needs none.
 *
 * @throws StepsExceeded  the job needs too many steps, too much time or too much memory
 * @throws AwsError Throttling  too many jobs and analyses of the account, or of all accounts, are waiting
 */
export type Compute = <Run extends ThreadFunction>(
  module: URL,
  job: Parameters<Run>[0],
  answer?: (question: Parameters<Parameters<Run>[1]>[0]) => ReturnType<Parameters<Run>[1]>,
) => Promise<Awaited<ReturnType<Run>>>;
