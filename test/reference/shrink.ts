import type { CasePolicies, CaseRequest } from './policy-case.ts';

/** Input of a failing case. */
export interface FailingCase {
  readonly policies: CasePolicies;
  readonly request: CaseRequest;
}

/** Yields all copies of a value with one member or element removed, at any depth. */
function* withoutOnePart(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      yield value.filter((_, at) => at !== i);
      for (const part of withoutOnePart(value[i])) yield value.map((each, at) => (at === i ? part : each));
    }
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    for (const [name, each] of entries) {
      yield Object.fromEntries(entries.filter(([other]) => other !== name));
      for (const part of withoutOnePart(each))
        yield Object.fromEntries(entries.map(([other, kept]) => [other, other === name ? part : kept]));
    }
  }
}

/** Removes parts of a failing case as long as the smaller case still fails. An invalid case counts as passing. */
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
    const smaller = [...withoutOnePart(smallest)].find((candidate) => stillFails(candidate as FailingCase));
    if (smaller === undefined) return smallest;
    smallest = smaller as FailingCase;
  }
}
