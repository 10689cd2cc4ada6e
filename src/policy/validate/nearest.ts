import { type StepBudget, takeSteps } from '../steps.ts';

/**
 * Returns the candidate that is most similar to a name, for `Did you mean …?`, or `undefined` if no candidate is similar.
 *
 * A similar candidate differs in at most a third of the name's characters (changed, missing, added or swapped). Case is ignored.
 * Returns `undefined` for names longer than 80 characters, which bounds the work.
 */
export function nearest(name: string, candidates: Iterable<string>, budget: StepBudget): string | undefined {
  const wanted = name.toLowerCase();
  if (wanted.length === 0 || wanted.length > 80) return undefined;
  let best: string | undefined;
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    takeSteps(budget, 1);
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    takeSteps(budget, 3 * wanted.length * candidate.length);
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Returns the number of edits that turn one string into the other, at most `limit`.
 *
 * An edit adds, deletes or changes a character, or swaps two adjacent characters.
 */
export function editDistance(from: string, to: string, limit: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= to.length; j++) {
      const substituted = (previous[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let cell = Math.min(substituted, (previous[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        cell = Math.min(cell, (beforePrevious[j - 2] as number) + 1);
      row.push(cell);
      least = Math.min(least, cell);
    }
    if (least >= limit) return limit;
    beforePrevious = previous;
    previous = row;
  }
  return Math.min(previous[to.length] as number, limit);
}
