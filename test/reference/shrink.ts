import type { CasePolicies, CaseRequest } from './policy-case.ts';

/** A case that fails, and nothing more of it than is needed. */
export interface FailingCase {
  readonly policies: CasePolicies;
  readonly request: CaseRequest;
}

/** Every value that is like this one with one part fewer, at any depth. */
function* fewer(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      yield value.filter((_, at) => at !== i);
      for (const part of fewer(value[i])) yield value.map((each, at) => (at === i ? part : each));
    }
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    for (const [name, each] of entries) {
      yield Object.fromEntries(entries.filter(([other]) => other !== name));
      for (const part of fewer(each)) yield Object.fromEntries(entries.map(([other, kept]) => [other, other === name ? part : kept]));
    }
  }
}

/** Takes parts away for as long as the case still fails; one that cannot be compiled any more does not. */
export function shrink(found: FailingCase, fails: (smaller: FailingCase) => boolean): FailingCase {
  const stillFails = (smaller: FailingCase): boolean => {
    try {
      return fails(smaller);
    } catch {
      return false;
    }
  };
  let smallest = found;
  for (;;) {
    const smaller = [...fewer(smallest)].find((candidate) => stillFails(candidate as FailingCase));
    if (smaller === undefined) return smallest;
    smallest = smaller as FailingCase;
  }
}
