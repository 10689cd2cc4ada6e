import { codeOf } from './postgres-errors.ts';

/** Maximum number of runs of a transaction. After the last one, the caller gets the conflict. */
const ATTEMPTS = 24;

/** Runs work again if it fails with one of the codes. The random delay before a run doubles, so that two conflicting sides part. */
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
 * Creates a function that runs work one after another. Transactions with a conflict use it. Otherwise they take all connections while they
 * wait for each other.
 */
export function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
