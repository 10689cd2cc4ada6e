import type { Branch, Pattern, PatternKey } from './compile.ts';
import type { ArrayElement, EventField, EventFields } from './event-fields.ts';
import { eventSteps, type Steps, stepsOfScan } from './steps.ts';
import { testHolds, type ValueTest } from './value-tests.ts';

/**
 * Reports whether a pattern matches an event. A pattern that needs more steps than allowed does not match.
 *
 * Source: aws/event-ruler `337e8d9`, ACFinder. Recorded: test/cases/recorded/event-patterns.json.
 */
export function matches({ branches }: Pattern, event: EventFields, steps: Steps = eventSteps()): boolean {
  return steps.within(() => branches.some((branch) => branchMatches(branch, event, steps))) ?? false;
}

/** Returns the steps of a test of one value. */
function stepsOfTest(test: ValueTest, { text }: EventField): number {
  if (test.kind !== 'other') return 1;
  return test.operands * (test.scans ? 1 + stepsOfScan(text) : 1);
}

/**
 * Reports whether each key of a branch matches one value, such that values in elements of the same array are in the same
 * element (array consistency).
 *
 * The keys are tried in the order of their paths. `exists: false` matches if no value is consistent with the values of
 * the keys before it. So no element of an array may have the field, unless a key before it has chosen an element.
 *
 * @throws StepsSpent
 */
export function branchMatches(branch: Branch, event: EventFields, steps: Steps): boolean {
  if (!event.hasElements) return branch.every((key) => keyMatches(key, event, steps));
  const choices: Choices[] = [];
  for (const key of branch) {
    const choice = choicesOf(key, event, steps);
    if (choice.elements.length === 0 && !choice.absent) return false;
    choices.push(choice);
  }
  return choose(choices, steps);
}

function keyMatches({ path, tests, absent }: PatternKey, event: EventFields, steps: Steps): boolean {
  const fields = event.byPath.get(path);
  steps.take(1);
  if (fields === undefined) return absent;
  return fields.some((field) => fieldPasses(tests, field, steps));
}

function fieldPasses(tests: readonly ValueTest[], field: EventField, steps: Steps): boolean {
  return tests.some((test) => {
    steps.take(stepsOfTest(test, field));
    return testHolds(test, field);
  });
}

type Place = ArrayElement | undefined;

/** Places of the values that one key can match. */
interface Choices {
  /** Elements that contain matching values, without repetition. `undefined` is outside of all arrays. */
  readonly elements: readonly Place[];
  readonly absent: boolean;
  /** Elements that contain any value of the path, if the key also matches without a value. */
  readonly present: readonly Place[];
}

function choicesOf({ path, tests, absent }: PatternKey, event: EventFields, steps: Steps): Choices {
  const fields = event.byPath.get(path) ?? [];
  steps.take(1 + fields.length);
  const elements = new Set<Place>();
  for (const field of fields) {
    if (!elements.has(field.element) && fieldPasses(tests, field, steps)) elements.add(field.element);
  }
  return { elements: [...elements], absent, present: absent ? [...new Set(fields.map(({ element }) => element))] : [] };
}

/**
 * Chooses one element for each key, by backtracking. A combination of elements from which the remaining keys cannot be
 * chosen is remembered, so independent arrays cost the sum of their lengths, not the product.
 *
 * The general problem is NP-hard, because several arrays may have one path. `steps` limits the work.
 */
function choose(choices: readonly Choices[], steps: Steps): boolean {
  const chosen = new Map<number, number>();
  const failed = choices.map(() => new Set<string>());
  const later = arraysOfLaterKeys(choices, steps);

  const from = (at: number): boolean => {
    const choice = choices[at];
    if (choice === undefined) return true;
    const relevant = later[at] as readonly number[];
    steps.take(1 + relevant.length);
    const state = relevant.map((array) => chosen.get(array) ?? '').join();
    if (failed[at]?.has(state)) return false;
    if (choice.absent && !choice.present.some((place) => isConsistent(place, chosen, steps)) && from(at + 1)) return true;
    for (const element of choice.elements) {
      if (!isConsistent(element, chosen, steps)) continue;
      const added = add(element, chosen);
      if (from(at + 1)) return true;
      for (const array of added) chosen.delete(array);
    }
    failed[at]?.add(state);
    return false;
  };
  return from(0);
}

/** Returns, for each key, the arrays whose chosen elements affect this key or a later one. */
function arraysOfLaterKeys(choices: readonly Choices[], steps: Steps): readonly (readonly number[])[] {
  const arrays = new Set<number>();
  const later = choices.toReversed().map(({ elements, present }) => {
    for (const place of [...elements, ...present]) {
      for (let element = place; element !== undefined; element = element.parent) {
        steps.take(1);
        arrays.add(element.array);
      }
    }
    steps.take(arrays.size);
    return [...arrays];
  });
  return later.toReversed();
}

function isConsistent(place: Place, chosen: ReadonlyMap<number, number>, steps: Steps): boolean {
  for (let element = place; element !== undefined; element = element.parent) {
    steps.take(1);
    const index = chosen.get(element.array);
    if (index !== undefined && index !== element.index) return false;
  }
  return true;
}

/** Chooses an element and the elements around it. Returns the arrays that had no chosen element. */
function add(place: Place, chosen: Map<number, number>): readonly number[] {
  const added: number[] = [];
  for (let element = place; element !== undefined; element = element.parent) {
    if (chosen.has(element.array)) continue;
    chosen.set(element.array, element.index);
    added.push(element.array);
  }
  return added;
}
