/** Work that takes long is done beside the core's thread, little of it at once: each password that is hashed takes 32 MiB and a thread that syncs the disk too. */
import { AwsError } from '#core/aws-error.ts';
import type { Call } from '#services/operation.ts';

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

/**
 * Makes an attempt, and where it asks for work that is not done yet, does the work and makes the attempt anew. So no transaction waits for
 * it, and whoever is refused before asking has nothing done.
 *
 * @throws AwsError ServiceUnavailable too many wait already
 */
export async function withAside<T>(gate: Gate, attempt: (aside: Call['aside']) => Promise<T>): Promise<T> {
  let done: Map<string, unknown> | undefined;
  let asked: { readonly name: string; readonly work: () => Promise<unknown> } | undefined;
  // A function, because the compiler does not see that the attempt may have asked.
  const wanted = () => asked;
  const aside = <Outcome>(name: string, work: () => Promise<Outcome>): Outcome => {
    if (done?.has(name)) return done.get(name) as Outcome;
    asked = { name, work };
    throw new Error('An attempt is given up for work beside it.');
  };

  for (;;) {
    asked = undefined;
    try {
      return await attempt(aside);
    } catch (error) {
      if (wanted() === undefined) throw error;
    }
    const { name, work } = wanted() as NonNullable<typeof asked>;
    const outcome = gate(work);
    if (outcome === undefined) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    done ??= new Map();
    done.set(name, await outcome);
  }
}
