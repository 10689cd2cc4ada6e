import { UNREAD } from './facts.ts';
import type { RequestRecord } from './request.ts';

/** Test of a request. It is created when the decision graph that contains it is built. */
export type Predicate = (record: RequestRecord) => boolean;

/** Kind of node: the end of a graph, with an answer. All other kinds of nodes evaluate an atom (one comparison). */
export const ANSWER = 0;
/** Kind of node: calls the atom's `test`. */
export const TEXT = 1;
/**
 * Kind of node: tests a boolean context key. `number` is the offset of its two bits in the record's `truths`. `states`
 * has one bit for each state of the key for which the test holds.
 */
export const TRUTH = 2;
/** Kinds of nodes that test whether the time is before or after `bound`. */
export const BEFORE = 3;
export const AFTER = 4;

/** One comparison of a statement: the resource with a pattern, or a context key with an operator's values. */
export interface Atom {
  readonly op: number;
  readonly number: number;
  readonly states: number;
  readonly bound: number;
  /**
   * The comparison of strings. Its result is correct for every record, even if the record lacks the number or truth
   * value for a faster comparison.
   */
  readonly test: Predicate;
  /**
   * Nodes of this atom, by their successors. The maps are weak. So if policies share a node and one of them is deleted,
   * the others do not keep the node in memory.
   */
  readonly nodes: WeakMap<Node, WeakMap<Node, Node>>;
}

type Quick = Partial<Omit<Atom, 'test' | 'nodes'>> & { readonly op: number };

export function newAtom(test: Predicate, quick: Quick = { op: TEXT }): Atom {
  return { op: quick.op, number: quick.number ?? 0, states: quick.states ?? 0, bound: quick.bound ?? 0.5, test, nodes: new WeakMap() };
}

/** Test of a statement: a constant, one comparison, or a combination. */
export type Test = boolean | Atom | { readonly all: readonly Test[] } | { readonly any: readonly Test[] } | { readonly not: Test };

/**
 * Node of a decision graph: an atom (one comparison) with its two successors, or an answer. Decision graphs share equal
 * nodes, so the graphs of a thousand principals fit into the processor's cache.
 */
export interface Node {
  readonly op: number;
  readonly atom: Atom;
  /** Copy of the atom's `test`, which most comparisons call. */
  readonly test: Predicate;
  readonly yes: Node;
  readonly no: Node;
  readonly answer: number;
}

const NOTHING = newAtom(() => false, { op: ANSWER });
const ANSWERS = new Map<number, Node>();

/** Returns the node of an answer. Answer nodes are few and are never freed. */
export function answerNode(answer: number): Node {
  let node = ANSWERS.get(answer);
  if (node === undefined) {
    const made = {
      op: ANSWER,
      atom: NOTHING,
      test: NOTHING.test,
      yes: undefined as unknown as Node,
      no: undefined as unknown as Node,
      answer,
    };
    made.yes = made;
    made.no = made;
    node = made;
    ANSWERS.set(answer, node);
  }
  return node;
}

/** Returns the graph of a test, which ends at `yes` or `no`. Omits constants and comparisons that do not affect the result. */
export function graphOf(test: Test, yes: Node, no: Node): Node {
  if (test === true) return yes;
  if (test === false) return no;
  if ('not' in test) return graphOf(test.not, no, yes);
  if ('all' in test) return test.all.reduceRight((next: Node, one) => graphOf(one, next, no), yes);
  if ('any' in test) return test.any.reduceRight((next: Node, one) => graphOf(one, yes, next), no);
  return yes === no ? yes : nodeOf(test, yes, no);
}

function nodeOf(atom: Atom, yes: Node, no: Node): Node {
  let byNo = atom.nodes.get(yes);
  if (byNo === undefined) atom.nodes.set(yes, (byNo = new WeakMap()));
  let node = byNo.get(no);
  if (node === undefined) byNo.set(no, (node = { op: atom.op, atom, test: atom.test, yes, no, answer: 0 }));
  return node;
}

/** Returns the maximum cost of a test, in comparisons of numbers. A comparison with a function call counts as ten. */
export function costOf(test: Test): number {
  if (typeof test === 'boolean') return 0;
  if ('not' in test) return costOf(test.not);
  const parts = 'all' in test ? test.all : 'any' in test ? test.any : undefined;
  if (parts !== undefined) return parts.reduce((sum, part) => sum + costOf(part), 0);
  return 'op' in test && test.op === TEXT ? 10 : 1;
}

/** Returns the number of comparisons in a test. */
export function sizeOf(test: Test): number {
  if (typeof test === 'boolean') return 0;
  if ('not' in test) return sizeOf(test.not);
  const parts = 'all' in test ? test.all : 'any' in test ? test.any : undefined;
  return parts === undefined ? 1 : parts.reduce<number>((sum, part) => sum + sizeOf(part), 0);
}

/** Evaluates a graph and returns its answer. */
export function walk(from: Node, record: RequestRecord): number {
  let node = from;
  for (;;) {
    let holds: boolean;
    switch (node.op) {
      case TEXT:
        holds = node.test(record);
        break;
      case ANSWER:
        return node.answer;
      case TRUTH: {
        const { number, states } = node.atom;
        const state = (record.truths >>> number) & 3;
        holds = state === UNREAD ? node.test(record) : ((states >>> state) & 1) === 1;
        break;
      }
      case BEFORE:
        // If the time is unknown (NaN), each comparison of numbers is false, so the strings are compared.
        holds = record.moment < node.atom.bound || (Number.isNaN(record.moment) && node.test(record));
        break;
      default:
        holds = record.moment > node.atom.bound || (Number.isNaN(record.moment) && node.test(record));
    }
    node = holds ? node.yes : node.no;
  }
}
