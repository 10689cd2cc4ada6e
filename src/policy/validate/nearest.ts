import { type StepBudget, takeSteps } from '../steps.ts';

/**
 * The candidate that is written most like a name, for `Did you mean …?`; undefined where none is near.
 *
 * Near is at most a third of the name in changed, missing, added or swapped characters, whatever their case.
 * Names of more than 80 characters have no neighbors. The steps are at most three for each pair of characters.
 *
 * @throws StepsExceeded
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

/** How many characters must change, or neighbours be swapped, to make one text of the other; `limit` where that many or more. */
export function editDistance(from: string, to: string, limit: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= to.length; j++) {
      const kept = (previous[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let cell = Math.min(kept, (previous[j] as number) + 1, (row[j - 1] as number) + 1);
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
