import { codeOf } from './postgres-errors.ts';

/** Maximum number of runs of a transaction. After the last one, the caller gets the conflict. */
const ATTEMPTS = 24;

/**
 * Runs work, and runs it again if it fails with one of the codes. Waits before each further run for a random time,
 * whose maximum doubles up to 128 ms. So two transactions that conflict do not run again at the same time.
 */
export async function retrying<T>(codes: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !codes.has(codeOf(error))) throw error;
      const longest = Math.min(2 ** attempt, 128);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}

/**
 * Creates a function that runs work as soon as the work of all earlier calls has ended. So transactions that run again
 * after a conflict run one after another. Otherwise they could take all connections while they wait for each other.
 */
export function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
